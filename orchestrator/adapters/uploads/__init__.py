"""What an upload of pictures and captions may be, whatever keeps the bytes afterwards."""
