"""The second kind of the fault suite: the product as it is installed, and all that can be killed, stopped, filled, cut off."""
