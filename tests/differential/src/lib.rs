//! Random commands to Ochre and to a peer, replies compared byte for byte.
