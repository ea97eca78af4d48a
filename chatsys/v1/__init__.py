"""Generated from proto/chatsys/v1 by proto/generate.py; do not edit."""
