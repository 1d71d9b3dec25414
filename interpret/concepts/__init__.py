"""What a network tells apart in pictures of a class, and what that is worth to it; and the concepts of one's own."""
