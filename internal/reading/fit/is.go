package fit

// Is reports whether a file that begins so is a FIT file.
func Is(head []byte) bool { return len(head) >= 12 && string(head[8:12]) == ".FIT" }
