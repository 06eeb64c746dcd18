"""The archive of a site: what is needed to weigh and to tell past hours again."""
