// Command doorstep is the server and its tools: one file per subcommand.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	_ "time/tzdata" // zones where the system has none

	"github.com/alecthomas/kong"

	"doorstep/internal/fault"
	"doorstep/internal/reading/format"
	"doorstep/internal/store"
)

// version is set when a release is built.
var version = "0.1.0-dev"

type commands struct {
	Config kong.ConfigFlag `help:"Read flags from a JSON file: {\"serve\": {\"listen\": \"…\"}}." type:"path"`

	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Demo    demoCmd    `cmd:"" help:"Run a simulated clinic on a simulated clock."`
	Import  importCmd  `cmd:"" help:"Take FHIR bundles, NDJSON and exports of devices into the record."`
	Decode  decodeCmd  `cmd:"" help:"A device's file, or bytes, to JSON lines, touching nothing."`
	Calc    calcCmd    `cmd:"" help:"Published measures from a file."`
	Slots   slotsCmd   `cmd:"" help:"The times at which a visit can be, from a file of calendars."`
	Route   routeCmd   `cmd:"" help:"Who is driven or visited by which vehicle, from a file of a published format."`
	Plan    planCmd    `cmd:"" help:"One person's needs to the ways and times that burden her least, from a file."`
	Sim     simCmd     `cmd:"" help:"Run the simulator and print a report."`
	Bench   benchCmd   `cmd:"" help:"Measure, as JSON lines. 'bench list' names every figure."`
	Check   checkCmd   `cmd:"" help:"Verify the ledger's checksums and invariants."`
	Watch   watchCmd   `cmd:"" help:"Watch a server from outside and tell the operator when it is gone or behind."`
	Gateway gatewayCmd `cmd:"" help:"A hub in a home: sensors over Bluetooth, or a recording, to a server."`
	Backup  backupCmd  `cmd:"" help:"Write a copy of the database to a file while the server runs."`
	Restore restoreCmd `cmd:"" help:"Put a backup in place and reconcile the outbox."`
	Version versionCmd `cmd:"" help:"Print the version."`
	Help    helpCmd    `cmd:"" help:"Explain a command."`
}

// where says which database a command works on.
type where struct {
	Data     string `help:"Folder of the data." default:"doorstep-data" type:"path"`
	Database string `help:"postgres://… instead of SQLite in the folder."`
}

// Validate keeps a mistyped address from being taken for the name of a file: the server would begin anew in it.
func (w where) Validate() error {
	if scheme, _, ok := strings.Cut(w.Database, "://"); ok && scheme != "postgres" && scheme != "postgresql" {
		return fmt.Errorf("--database begins with postgres://, not with %s://", scheme)
	}
	return nil
}

// address answers what store.Open takes.
func (w where) address() string {
	if w.Database != "" {
		return w.Database
	}
	return filepath.Join(w.Data, "doorstep.db")
}

// existing is address for commands that must not make a database.
func (w where) existing() (string, error) {
	if w.Database == "" {
		if _, err := os.Stat(w.address()); err != nil {
			return "", fault.NotFoundf("There is no database in %s (use --data or --database).", w.Data)
		}
	}
	return w.address(), nil
}

// env is what a command gets besides its flags.
type env struct {
	context.Context
	out, err io.Writer
}

func main() {
	debug.SetGCPercent(200) // the heap is small; a spike of the ledger makes much garbage (5 % of its time)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run answers the exit code: 0 done, 1 the work failed, 2 wrong usage.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	var c commands
	code := -1
	parser, err := kong.New(&c, kong.Name("doorstep"), kong.Description("Keeps its word to people and brings care to their door."), kong.Writers(out, errs),
		kong.Configuration(kong.JSON), kong.DefaultEnvars("DOORSTEP"), kong.Vars{"formats": format.Names(), "exports": exports()}, kong.Exit(func(n int) { code = n }))
	if err != nil {
		fmt.Fprintln(errs, "doorstep:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if code >= 0 { // --help has answered
		return code
	}
	if err != nil {
		fmt.Fprintf(errs, "doorstep: %s (see 'doorstep help')\n", err)
		return 2
	}
	err = k.Run(&env{ctx, out, errs}, parser)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		name, _, _ := strings.Cut(k.Command(), " ") // its arguments stand behind it
		fmt.Fprintf(errs, "doorstep: %s (see 'doorstep help%s')\n", err, strings.TrimSuffix(" "+name, " help"))
		return 2
	case errors.Is(err, errQuiet):
		return 1
	}
	fmt.Fprintln(errs, "doorstep:", oneLine(err))
	return 1
}

// usageError is a wrong use that only the command itself can see.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errQuiet ends with code 1 after the command has said all there is to say.
var errQuiet = errors.New("")

func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintln(e.out, "doorstep", version)
	return err
}

type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

func (h helpCmd) Run(e *env, parser *kong.Kong) error {
	k, err := kong.Trace(parser, append(h.Command, "--help"))
	if err != nil || k.Error != nil && len(h.Command) > 0 {
		return usagef("there is no command %q%s", strings.Join(h.Command, " "), hint(parser, h.Command[0]))
	}
	return k.PrintUsage(false)
}

// hint names the commands that a mistyped one may have meant, or all of them.
func hint(parser *kong.Kong, typed string) string {
	var near, all []string
	for _, c := range parser.Model.Children {
		all = append(all, c.Name)
		if strings.HasPrefix(c.Name, typed) || strings.HasPrefix(typed, c.Name) || apart(c.Name, typed) <= 2 {
			near = append(near, c.Name)
		}
	}
	if len(near) > 0 {
		return "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return "; there are " + strings.Join(all, ", ")
}

// apart answers how many letters must be put in, taken out or changed to make one word of the other (Levenshtein).
func apart(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// open opens an existing database or makes one.
func (w where) open(e *env) (*store.DB, error) {
	return store.Open(e, w.address(), store.Options{})
}
