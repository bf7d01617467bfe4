package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"doorstep/internal/fault"
)

// problem is an error as programs see it (RFC 9457): a kind and a sentence, never the cause and never what was sent.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

func (p *problem) Error() string { return p.Detail }

// GetStatus and ContentType are how huma asks for the status and the media type of an error.
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }

// statuses is the one place where a kind of fault becomes an HTTP status.
var statuses = map[fault.Kind]int{
	fault.Internal:    http.StatusInternalServerError,
	fault.Invalid:     http.StatusUnprocessableEntity,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Denied:      http.StatusForbidden,
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.TooMuch:     http.StatusTooManyRequests,
}

func problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return newProblem(http.StatusRequestEntityTooLarge, "That is too long to be sent at once.")
	}
	return newProblem(statuses[fault.KindOf(err)], fault.Sentence(err))
}

func writeProblem(w http.ResponseWriter, p *problem) {
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p)
}

// sentencesMost is how many things that are wrong with one request are told.
const sentencesMost = 3

// huma makes its errors through this variable. Its own would send back the values that were refused, which may be a patient's.
func init() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		if status >= http.StatusInternalServerError {
			return newProblem(status, fault.Sentence(nil))
		}
		var told []string
		for _, err := range errs {
			var d huma.ErrorDetailer
			if !errors.As(err, &d) || len(told) == sentencesMost {
				continue
			}
			detail := d.ErrorDetail()
			told = append(told, strings.TrimPrefix(detail.Location+": "+detail.Message, ": "))
		}
		if len(told) > 0 {
			msg = strings.Join(told, "; ")
		}
		return newProblem(status, msg)
	}
}
