package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// reply is what every route answers.
type reply[T any] struct{ Body T }

// maxBody bounds a request, in bytes.
const maxBody = 256 << 10

// get describes and serves a read.
func get[I, T any](s *server, id, path, summary string, fn func(context.Context, *caller, *I) (T, error)) {
	route(s, huma.Operation{OperationID: id, Method: http.MethodGet, Path: root + path, Summary: summary,
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}, fn)
}

// post describes and serves a write, which answers with the status.
func post[I, T any](s *server, id, path, summary string, status int, fn func(context.Context, *caller, *I) (T, error)) {
	postOf(s, id, path, summary, status, maxBody, fn)
}

// postOf is post with a bound of its own on the request, in bytes.
func postOf[I, T any](s *server, id, path, summary string, status int, most int64, fn func(context.Context, *caller, *I) (T, error)) {
	route(s, huma.Operation{OperationID: id, Method: http.MethodPost, Path: root + path, Summary: summary, DefaultStatus: status, MaxBodyBytes: most,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
			http.StatusUnprocessableEntity, http.StatusServiceUnavailable}}, fn)
}

func route[I, T any](s *server, op huma.Operation, fn func(context.Context, *caller, *I) (T, error)) {
	op.Security = []map[string][]string{{"session": {}}}
	op.Middlewares = huma.Middlewares{s.signIn}
	pattern := op.Method + " " + op.Path
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*reply[T], error) {
		c := ctx.Value(callerKey{}).(*caller)
		out, err := fn(ctx, c, in)
		if err != nil {
			s.noteFailure(pattern, err)
			return nil, problemOf(err)
		}
		return &reply[T]{out}, nil
	})
}
