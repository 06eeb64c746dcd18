"""A community's MQTT broker: the files that set up mosquitto, and the tool for its certificates."""
