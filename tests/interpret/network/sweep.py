"""x"""

REFUSED = "timm:x"
TIMM = []
