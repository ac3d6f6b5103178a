"""Licences to play: who may decrypt what, on which device, until when."""
