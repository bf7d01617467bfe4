package format

import "strings"

// mediaPrefix and a format's name make a media type of our own.
const mediaPrefix = "application/vnd.doorstep."

// media are the media types that formats have besides.
var media = map[string]string{
	"application/vnd.ant.fit": "fit", "application/fhir+json": "fhir", "application/fhir+ndjson": "fhir",
	"application/xml": "apple", "text/xml": "apple", "text/csv": "cgm",
}

// ByMedia answers the format of a media type without parameters, in small letters: "text/csv", "application/vnd.doorstep.nightscout".
func ByMedia(kind string) (Format, bool) {
	name, own := strings.CutPrefix(kind, mediaPrefix)
	if !own {
		name = media[kind]
	}
	for _, f := range All {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}
