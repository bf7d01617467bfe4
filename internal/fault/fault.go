// Package fault is the one error type that crosses floors. It carries what was being done, what kind of trouble it is
// and a sentence for the person who asked; edges map the kind to a status and show the sentence, never the cause.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what the caller can do about an error.
type Kind uint8

const (
	Internal    Kind = iota // our mistake: log it, show nothing of it
	Invalid                 // the input is wrong: say which part
	NotFound                // no such thing, or not for this viewer
	Conflict                // somebody else was first, or the state has moved on
	Denied                  // the viewer may not do this
	Unavailable             // try again later: disk full, gateway down
	TooMuch                 // too many requests or too large an input
)

var kindNames = [...]string{"internal", "invalid", "not found", "conflict", "denied", "unavailable", "too much"}

func (k Kind) String() string { return kindNames[k] }

// Error is an error with a kind. Say is a sentence that may be shown to a person; it holds no patient data.
type Error struct {
	Kind Kind
	Say  string
	Err  error // the cause, for the log only; may be nil
}

func (e *Error) Error() string {
	if e.Say == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Say
}

func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind; format may hold %w for a cause.
func New(kind Kind, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Say: err.Error(), Err: errors.Unwrap(err)}
}

func Invalidf(format string, args ...any) error  { return New(Invalid, format, args...) }
func NotFoundf(format string, args ...any) error { return New(NotFound, format, args...) }
func Conflictf(format string, args ...any) error { return New(Conflict, format, args...) }
func Deniedf(format string, args ...any) error   { return New(Denied, format, args...) }

// KindOf answers the kind of the outermost Error in err's chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Sentence answers what may be shown to a person.
func Sentence(err error) string {
	var e *Error
	if errors.As(err, &e) && e.Kind != Internal {
		return e.Say
	}
	return "Something went wrong on our side. It has been noted."
}
