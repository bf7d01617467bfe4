package device

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/reading"
	"doorstep/internal/reading/format"
)

const (
	maxBody    = 4 << 20
	gattPrefix = "application/vnd.doorstep.gatt+"
)

// HTTPHandler answers POST /api/v1/devices/{device}/readings: a JSON object or array of readings, the raw bytes of a GATT
// characteristic with Content-Type application/vnd.doorstep.gatt+{uuid16}, or a file with the media type of its format. The bearer is the device's key. It answers 200 with
// the receipt once durable; errors are problem documents (RFC 9457).
func HTTPHandler(in *Intake) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/devices/{device}/readings", in.post)
	return mux
}

func (in *Intake) post(w http.ResponseWriter, r *http.Request) {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		problem(w, http.StatusUnauthorized, "The device's key is missing.")
		return
	}
	dev, err := in.Service.SignIn(r.Context(), r.PathValue("device"), strings.TrimSpace(key))
	if err != nil {
		refuse(w, err, http.StatusUnauthorized)
		return
	}
	kind := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(kind); err == nil {
		kind = media
	}
	uuid, isGATT := strings.CutPrefix(strings.ToLower(kind), gattPrefix)
	kind = strings.ToLower(kind)
	f, isFile := format.ByMedia(kind)
	if kind != "" && kind != "application/json" && !isGATT && !isFile {
		problem(w, http.StatusUnsupportedMediaType, "The body must be application/json, "+gattPrefix+"{uuid} or the media type of a file that is read (docs/devices.md).")
		return
	}
	in.messages.Add(1)
	var receipt reading.Receipt
	if isFile {
		receipt, err = in.file(r.Context(), dev, f, http.MaxBytesReader(w, r.Body, maxFile))
	} else {
		body, ok := whole(w, r)
		if !ok {
			return
		}
		if isGATT {
			receipt, err = in.characteristic(r.Context(), dev, uuid, body, told{})
		} else {
			receipt, err = in.readings(r.Context(), dev, body)
		}
	}
	if err != nil {
		if fault.Is(err, fault.Invalid) {
			in.malformed.Add(1)
		} else if !fault.Is(err, fault.TooMuch) {
			in.failed.Add(1)
			in.Log.Error("a device's message could not be stored", "device", dev.ID, "error", err)
		}
		refuse(w, err, http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(receipt)
}

// whole reads the body; false when it has answered that it cannot be read.
func whole(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err == nil {
		return body, true
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		problem(w, http.StatusRequestEntityTooLarge, "The body is larger than 4 MB.")
	} else {
		problem(w, http.StatusBadRequest, "The body could not be read.")
	}
	return nil, false
}

// refuse answers an error by its kind.
func refuse(w http.ResponseWriter, err error, denied int) {
	status := http.StatusInternalServerError
	switch fault.KindOf(err) {
	case fault.Invalid:
		status = http.StatusBadRequest
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Conflict:
		status = http.StatusConflict
	case fault.Denied:
		status = denied
	case fault.TooMuch:
		status = http.StatusRequestEntityTooLarge
	case fault.Unavailable:
		status = http.StatusServiceUnavailable
	case fault.Internal:
	}
	problem(w, status, fault.Sentence(err))
}

func problem(w http.ResponseWriter, status int, detail string) {
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
}
