"""Reading one meter: our integration beside Home Assistant's own for Modbus."""
