"""One HTML file on what a network sees in some pictures: the findings, and the page that shows them."""
