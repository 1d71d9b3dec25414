"""One HTML file on what a network sees in some pictures: findings first, then the page that shows them."""
