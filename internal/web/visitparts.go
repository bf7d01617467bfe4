package web

// noteOf is what stands after a name, apart from it.
func noteOf(t timeLine) string {
	switch {
	case t.Note == "":
		return ""
	case t.With == "":
		return t.Note
	}
	return " · " + t.Note
}
