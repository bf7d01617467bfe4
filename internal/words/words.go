// Package words is everything that Doorstep says, in English and Spanish: sentences by key, and dates, times and numbers as
// people of each language write them. Pages, texts, mails and the desk all speak through it.
//
// Its promise: every key exists in both languages with the same placeholders, is plain to read, and what may light up on a
// locked screen (sms.*, push.*, mail.*) names no drug and no diagnosis. The tests beside it prove this for every text.
package words

import (
	"embed"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed en.json es.json
var files embed.FS

// Languages that Doorstep speaks; the first is the fallback.
var Languages = []string{"en", "es"}

var catalogs = load()

func load() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range Languages {
		b, err := files.ReadFile(lang + ".json")
		if err != nil {
			panic(err) // embedded: cannot be missing
		}
		texts := map[string]string{}
		if err := json.Unmarshal(b, &texts); err != nil {
			panic(lang + ".json: " + err.Error()) // embedded: the tests read it
		}
		all[lang] = texts
	}
	return all
}

// Has reports whether there is a text for the key.
func Has(key string) bool { _, ok := catalogs["en"][key]; return ok }

// Keys answers every key, sorted.
func Keys() []string {
	keys := make([]string, 0, len(catalogs["en"]))
	for k := range catalogs["en"] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Say answers the text of a key in a language (English when the language is unknown), with {name} replaced from args. A key
// without a text answers itself: a page shows something rather than nothing.
func Say(lang, key string, args map[string]string) string {
	text, ok := catalogs[lang][key]
	if !ok {
		if text, ok = catalogs["en"][key]; !ok {
			return key
		}
	}
	return fill(text, args)
}

// Count is Say for a number of things: the text of key+".one" for one, key+".other" for any other number, with {n} filled.
func Count(lang, key string, n int, args map[string]string) string {
	with := map[string]string{"n": Number(lang, float64(n), 0)}
	for k, v := range args {
		with[k] = v
	}
	if n == 1 {
		return Say(lang, key+".one", with)
	}
	return Say(lang, key+".other", with)
}

// Tell is Say for sentences that were stored with their arguments, to be read later in any language: an argument that is an
// RFC 3339 instant is written as a time of day in the zone, one that begins with "key:" is a text of its own, one that
// begins with "keys:" a list of texts ("keys:vital. pulse oxygen" says vital.pulse and vital.oxygen).
func Tell(lang, key string, args map[string]string, zone *time.Location) string {
	return Compose(lang, key, func(name string) (string, bool) {
		value, ok := args[name]
		return Value(lang, value, zone), ok
	})
}

// Value writes one stored argument as Tell does.
func Value(lang, value string, zone *time.Location) string {
	if at, ok := instant(value); ok {
		return Time(lang, at, zone)
	}
	if own, ok := strings.CutPrefix(value, "key:"); ok {
		return Say(lang, own, nil)
	}
	if list, ok := strings.CutPrefix(value, "keys:"); ok {
		var said []string
		prefix, names, _ := strings.Cut(list, " ")
		for name := range strings.FieldsSeq(names) {
			said = append(said, Say(lang, prefix+name, nil))
		}
		return strings.Join(said, ", ")
	}
	if at, ok := strings.CutPrefix(value, "at:"); ok {
		return dayAndTime(lang, at, zone)
	}
	return value
}

// AtValue is the argument that Value writes as a day and a time in a zone of its own: a visit keeps the clinic's clock, wherever
// the reader is.
func AtValue(t time.Time, zone string) string {
	return "at:" + t.UTC().Format(time.RFC3339) + " " + zone
}

// instant reads an RFC 3339 instant; most arguments are none, and time.Parse is slow to say so.
func instant(s string) (time.Time, bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[10] != 'T' {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, s)
	return at, err == nil
}

// dayAndTime writes an AtValue; where the reader's clock shows something else, with the zone.
func dayAndTime(lang, value string, reader *time.Location) string {
	instant, name, _ := strings.Cut(value, " ")
	at, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		return value
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		zone = reader
	}
	shown := Time(lang, at, zone)
	if _, here := at.In(reader).Zone(); here != offset(at, zone) {
		shown = TimeZoned(lang, at, zone)
	}
	return Say(lang, "when.day", map[string]string{"day": Day(lang, at, zone), "time": shown})
}

func offset(t time.Time, zone *time.Location) int {
	_, s := t.In(zone).Zone()
	return s
}

func fill(text string, args map[string]string) string {
	if len(args) == 0 || !strings.Contains(text, "{") {
		return text
	}
	return compose(text, func(name string) (string, bool) {
		v, ok := args[name]
		return v, ok
	})
}

// Compose is Say with the words for each {name} asked for one by one, so that only those which the text needs are made.
func Compose(lang, key string, word func(name string) (string, bool)) string {
	text, ok := catalogs[lang][key]
	if !ok {
		if text, ok = catalogs["en"][key]; !ok {
			return key
		}
	}
	return compose(text, word)
}

func compose(text string, word func(name string) (string, bool)) string {
	var b strings.Builder
	b.Grow(len(text) + 64) // a clinic's name, a link: mostly one piece of memory
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '}')
		if end < 0 {
			break
		}
		b.WriteString(text[:open])
		if v, ok := word(text[open+1 : open+end]); ok {
			b.WriteString(v)
		} else {
			b.WriteString(text[open : open+end+1])
		}
		text = text[open+end+1:]
	}
	b.WriteString(text)
	return b.String()
}

// Placeholders answers the names in a key's text, sorted, each once.
func Placeholders(lang, key string) []string {
	if names, ok := placeholders.Load(lang + " " + key); ok {
		return names.([]string)
	}
	var names []string
	for part := range strings.SplitSeq(catalogs[lang][key], "{") {
		if name, _, ok := strings.Cut(part, "}"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	placeholders.Store(lang+" "+key, names)
	return names
}

var placeholders sync.Map // what Placeholders found, by language and key

// Prefer answers the first of our languages that an Accept-Language header asks for. Quality values are not weighed:
// browsers list what they prefer first.
func Prefer(accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if slices.Contains(Languages, base) {
			return base
		}
	}
	return Languages[0]
}

// Translate answers an English sentence of an error in another language, by the catalog text fault.* whose words it matches
// (placeholders match anything). A sentence that is not in the catalog stays English: better than nothing said.
func Translate(lang, english string) string {
	if lang == "en" || lang == "" {
		return english
	}
	for key, pattern := range catalogs["en"] {
		if !strings.HasPrefix(key, "fault.") {
			continue
		}
		if args, ok := match(pattern, english); ok {
			return Say(lang, key, args)
		}
	}
	return english
}

// Read answers what stands in the places of a key's text, given what Say made of it and what is known already.
func Read(lang, key, said string, known map[string]string) (map[string]string, bool) {
	pattern, ok := catalogs[lang][key]
	if !ok {
		return nil, false
	}
	args, ok := match(fill(pattern, known), said)
	if ok {
		maps.Copy(args, known)
	}
	return args, ok
}

// match fits a text to a pattern with {name} placeholders and answers what stands in their places.
func match(pattern, text string) (map[string]string, bool) {
	shape := shapeOf(pattern)
	found := shape.exp.FindStringSubmatch(text)
	if found == nil {
		return nil, false
	}
	args := make(map[string]string, len(shape.names))
	for i, name := range shape.names {
		args[name] = found[i+1]
	}
	return args, true
}

// shape is a pattern as an expression, whose groups are the places of the names.
type shape struct {
	exp   *regexp.Regexp
	names []string
}

var shapes sync.Map // *shape by pattern

func shapeOf(pattern string) *shape {
	if s, ok := shapes.Load(pattern); ok {
		return s.(*shape)
	}
	s := &shape{}
	exp := "(?s)^"
	for rest := pattern; ; {
		before, after, more := strings.Cut(rest, "{")
		exp += regexp.QuoteMeta(before)
		if !more {
			break
		}
		var name string
		name, rest, _ = strings.Cut(after, "}")
		s.names = append(s.names, name)
		exp += "(.*?)"
	}
	s.exp = regexp.MustCompile(exp + "$")
	shapes.Store(pattern, s)
	return s
}
