"""The sources of carbon intensity of a site at run time: opened, asked, listened to."""
