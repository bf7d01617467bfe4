package web

import "net/url"

func queryEscape(s string) string { return url.QueryEscape(s) }

func cloneQuery(q url.Values) url.Values {
	out := url.Values{}
	for k, v := range q {
		out[k] = append([]string(nil), v...)
	}
	return out
}

func noteOf(t timeLine) string {
	switch {
	case t.Note == "":
		return ""
	case t.With == "":
		return t.Note
	}
	return " · " + t.Note
}
