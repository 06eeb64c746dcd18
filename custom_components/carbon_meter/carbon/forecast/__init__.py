"""What the carbon intensity will be, from what it has been at this site."""
