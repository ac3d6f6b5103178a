"""Series as tests of rules write them."""
