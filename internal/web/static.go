package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFiles embed.FS

// static serves the embedded assets under names that hold a hash of their content, so that browsers may keep them forever.
type static struct {
	files map[string]asset  // by hashed name
	names map[string]string // hashed name by plain name
}

type asset struct {
	body []byte
	kind string
}

var embedded = loadStatic()

var assetKinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png"}

func loadStatic() *static {
	s := &static{files: map[string]asset{}, names: map[string]string{}}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		panic(err) // embedded: cannot be missing
	}
	for _, e := range entries {
		body, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:5]) + ext
		s.files[name] = asset{body, assetKinds[ext]}
		s.names[e.Name()] = name
	}
	return s
}

// url answers where an asset is.
func (s *static) url(name string) string { return "/static/" + s.names[name] }

func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := s.files[strings.TrimPrefix(r.URL.Path, "/static/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", a.kind)
	w.Write(a.body)
}

// plain writes an asset whose address must never change; how long it may be kept is the caller's to say.
func (s *static) plain(w http.ResponseWriter, name string) {
	a := s.files[s.names[name]]
	w.Header().Set("Content-Type", a.kind)
	w.Write(a.body)
}

func (s *static) icon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, s.url("house.svg"), http.StatusFound)
}
