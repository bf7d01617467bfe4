package web

import (
	"net/http"
	"strings"

	"doorstep/internal/fault"
)

// policy lets a page load only what this server serves: no inline script or style, no frame around it, forms to us alone.
const policy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// maxForm bounds what a form may send, in bytes.
const maxForm = 64 << 10

// guard puts the headers on every answer, refuses posts that another site started, and bounds bodies.
func (s *Server) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(s.open(func(w http.ResponseWriter, r *http.Request, p *page) error {
		return fault.Deniedf("This came from another site. Please open our page and try again.")
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Permissions-Policy", "camera=(), microphone=()")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		most := int64(maxForm)
		if strings.HasSuffix(r.URL.Path, "/messages") {
			most = maxLetter
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		cross.Handler(next).ServeHTTP(w, r)
	})
}
