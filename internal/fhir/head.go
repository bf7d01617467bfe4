package fhir

// Head answers type and id of a resource without reading the rest strictly. The type is a known one; the id, when there
// is one, is valid.
func Head(b []byte) (typ, id string, err error) {
	var typed, named bool
	var at int
	s := scanner{b: b}
	s.space()
	members(&s, func(key []byte, from int) bool {
		switch string(key) {
		case "resourceType":
			typed = true
			typ = stringAt(b, from)
		case "id":
			named, at = true, from
			id = stringAt(b, from)
		}
		return !typed || !named
	})
	switch {
	case !typed:
		return "", "", &SyntaxError{Reason: "resourceType is missing"}
	case !KnownType(typ):
		return "", "", &SyntaxError{Path: "resourceType", Reason: "R4 has no such resource type"}
	case named && !ValidID(id):
		return "", "", &SyntaxError{Offset: at, Path: "id", Reason: "not a valid id"}
	}
	return typ, id, nil
}

// members walks the top of an object that nobody has checked yet, as far as it is well formed.
func members(s *scanner, fn func(key []byte, from int) bool) {
	if s.i >= len(s.b) || s.b[s.i] != '{' {
		return
	}
	for s.i++; ; s.i++ {
		s.space()
		key, err := s.str()
		if err != nil {
			return
		}
		if s.space(); s.i >= len(s.b) || s.b[s.i] != ':' {
			return
		}
		s.i++
		if s.space(); s.i >= len(s.b) || !fn(key, s.i) {
			return
		}
		s.i = skip(s.b, s.i)
		if s.space(); s.i >= len(s.b) || s.b[s.i] != ',' {
			return
		}
	}
}

func stringAt(b []byte, from int) string {
	s := scanner{b: b, i: from}
	raw, err := s.str()
	if err != nil {
		return ""
	}
	return text(raw)
}
