# make demo: a simulated clinic in your browser. make test: everything that must hold.
.PHONY: demo test tools generate lint

# Packages with goroutines of their own are tested with the race detector, the rest without: it is ten times slower.
RACE = ./internal/api ./internal/appointment ./internal/appointment/slot ./internal/clock ./internal/conversation ./internal/device ./internal/gateway ./internal/message/... ./internal/person ./internal/promise ./internal/reading ./internal/transport/road ./internal/visit ./internal/transport/routing ./internal/waiting \
	./internal/store/... ./internal/sim
PLAIN = $$(go list ./... | grep -vxF "$$(go list $(RACE))")

demo:
	go run ./cmd/doorstep demo

# What the tests need and this machine lacks: PostgreSQL, Chromium, a message bus, node packages.
tools:
	@./scripts/test-tools

generate:
	go generate ./...

lint:
	@test -z "$$(gofmt -l cmd internal scripts)" || { gofmt -l cmd internal scripts; echo "gofmt these files"; exit 1; }
	go vet ./...
	go tool staticcheck ./...

test: tools lint
	@{ go test -count=1 -json $(PLAIN); go test -count=1 -race -json $(RACE); } | go run ./scripts/testsum
