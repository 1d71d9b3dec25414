"""One HTML file on what a network sees in some pictures: first what is found in them, then the page that shows it."""
