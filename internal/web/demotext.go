package web

import (
	"strings"

	"doorstep/internal/person"
)

// run is a stretch of a text that is a link, or is not.
type run struct {
	text string
	link bool
}

// splitLinks finds the web addresses in a text.
func splitLinks(body string) []run {
	var out []run
	for {
		at := strings.Index(body, "http")
		if at < 0 || !strings.HasPrefix(body[at:], "http://") && !strings.HasPrefix(body[at:], "https://") {
			break
		}
		end := strings.IndexAny(body[at:], " \n\t")
		if end < 0 {
			end = len(body) - at
		}
		out = append(out, run{text: body[:at]}, run{text: body[at : at+end], link: true})
		body = body[at+end:]
	}
	return append(out, run{text: body})
}

// demoRole answers the word for a role of the demo's people.
func (p *page) demoRole(role string) string { return p.role(person.Role(role)) }
