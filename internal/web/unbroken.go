package web

import "strings"

// unbroken answers a page in which a clock time keeps together: "8:00 am" has a no-break space, so that no line ends between the two. What
// stands within tags, and in what a person types, stays as it is. Words in messages keep the plain space: a text of the telephone
// with another would be sent in twice the parts.
func unbroken(html string) string {
	var b strings.Builder
	rest, typed := html, false
	for rest != "" {
		open := strings.IndexByte(rest, '<')
		if open < 0 {
			open = len(rest)
		}
		if typed {
			b.WriteString(rest[:open])
		} else {
			b.WriteString(unbrokenText(rest[:open]))
		}
		rest = rest[open:]
		if rest == "" {
			break
		}
		end := strings.IndexByte(rest, '>') + 1
		if end == 0 {
			end = len(rest)
		}
		tag := rest[:end]
		switch {
		case strings.HasPrefix(tag, "<textarea"):
			typed = true
		case strings.HasPrefix(tag, "</textarea"):
			typed = false
		}
		b.WriteString(tag)
		rest = rest[end:]
	}
	return b.String()
}

// unbrokenText is unbroken of a text without tags.
func unbrokenText(text string) string {
	from := 0
	for {
		i := strings.Index(text[from:], "m")
		if i < 0 {
			return text
		}
		at := from + i // of the m in "8:00 am"
		from = at + 1
		if at < 6 || text[at-1] != 'a' && text[at-1] != 'p' || text[at-2] != ' ' || !digit(text[at-3]) || !digit(text[at-4]) || text[at-5] != ':' || !digit(text[at-6]) {
			continue
		}
		if at+1 < len(text) && (text[at+1] >= 'a' && text[at+1] <= 'z') {
			continue
		}
		text = text[:at-2] + "\u00a0" + text[at-1:]
		from++
	}
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
