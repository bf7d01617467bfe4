// Package apple reads what the Health app of an iPhone exports: export.xml, and the archive that holds it.
//
// Its promise: it reads forward in constant memory, whatever the file's length (one element is held, and for blood pressure and
// food a hash of each record); a record comes once although the file holds it again as the member of a correlation; units come
// out as UCUM, shares as percent; what cannot be understood is refused with its offset and reading goes on, and XML that is broken
// ends it there. Records, categories, correlations' members and the heart rates of HRV records are answered; the person's name and
// birth date, workouts, routes, electrocardiograms and rings are not. Source: the document type definition in the file itself,
// "HealthKit Export Version: 14". The package is pure.
package apple

import (
	"archive/zip"
	"bytes"
	"io"
	"path"
	"strings"

	"doorstep/internal/reading/sample"
)

// Is reports whether a file that begins so is an export.xml. Its document type, of some ten kilobytes, comes first.
func Is(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	return len(head) > 0 && head[0] == '<' && (bytes.Contains(head, []byte("<HealthData")) || bytes.Contains(head, []byte("<!DOCTYPE HealthData")))
}

// IsZip reports whether a file that begins so is a zip archive.
func IsZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// ReadZip answers the records of the export.xml in an archive, whatever the phone's language calls it.
func ReadZip(at io.ReaderAt, size int64, o sample.Options) sample.Seq {
	return func(yield func(sample.Sample, error) bool) {
		archive, err := zip.NewReader(at, size)
		if err != nil {
			yield(sample.Sample{}, sample.Refuse(0, "the archive cannot be opened: %v", err))
			return
		}
		for _, f := range archive.File {
			if !strings.EqualFold(path.Ext(f.Name), ".xml") || strings.Count(f.Name, "/") > 1 {
				continue
			}
			in, err := f.Open()
			if err != nil {
				yield(sample.Sample{}, &sample.Refusal{Path: f.Name, Reason: err.Error()})
				return
			}
			head := make([]byte, 64<<10)
			n, err := io.ReadFull(in, head)
			if head = head[:n]; !Is(head) || err != nil && err != io.ErrUnexpectedEOF {
				in.Close()
				continue
			}
			for s, err := range Read(io.MultiReader(bytes.NewReader(head), in), o) {
				if refusal, ok := err.(*sample.Refusal); ok {
					refusal.Path = f.Name
				} else if err != nil { // the archive's own: a wrong check sum, compressed data that is broken
					err = &sample.Refusal{Path: f.Name, Reason: err.Error()}
				}
				if !yield(s, err) {
					in.Close()
					return
				}
			}
			in.Close()
			return
		}
		yield(sample.Sample{}, sample.Refuse(0, "the archive holds no export of Apple Health"))
	}
}
