package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorstep/internal/promise"
	"doorstep/internal/words"
)

// TestEveryWordIsThere: each key that the pages name stands in the catalogs.
func TestEveryWordIsThere(t *testing.T) {
	t.Parallel()
	call := regexp.MustCompile(`\b(T|N|Whose)\("([a-z_0-9.]+)"(\)|, )`)
	sources, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sources {
		if !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".templ") || strings.HasSuffix(name, "_templ.go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			want := []string{m[2]}
			switch m[1] {
			case "N":
				want = []string{m[2] + ".one", m[2] + ".other"}
			case "Whose":
				want = append(want, m[2]+".of")
			}
			for _, key := range want {
				if !words.Has(key) {
					t.Errorf("%s: %s is not in the catalogs", name, key)
				}
			}
		}
	}
	for _, key := range append(reasons, "setup.title") {
		if !words.Has(key) {
			t.Errorf("%s is not in the catalogs", key)
		}
	}
	for _, key := range doneNotes {
		if !words.Has(key) {
			t.Errorf("%s is not in the catalogs", key)
		}
	}
	for _, step := range setUpSteps {
		if !words.Has("setup."+step) || !words.Has("setup."+step+".how") {
			t.Errorf("setup.%s is not in the catalogs", step)
		}
	}
	for v := promise.Routine; v <= promise.Severe; v++ {
		if !words.Has("severity." + v.String()) {
			t.Errorf("severity.%s is not in the catalogs", v)
		}
	}
	for _, name := range walls {
		if !words.Has("me." + name) {
			t.Errorf("me.%s is not in the catalogs", name)
		}
	}
}
