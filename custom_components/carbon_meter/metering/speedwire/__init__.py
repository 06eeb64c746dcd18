"""SMA Speedwire: energy meters that send their values into the network once a second."""
