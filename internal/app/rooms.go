package app

import (
	"io/fs"
)

// room is one package's tables.
type room struct {
	name string
	fs   fs.FS
}
