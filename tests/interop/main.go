// Interop reads a Servanda log with other people's programs: Go's sumdb notes and tree, Tessera's fsck, and a reader of
// statements written from docs/spec.md alone. It shares no code with Servanda.
//
//	interop note       DIR VKEY          golang.org/x/mod/sumdb/note opens the checkpoint
//	interop tree       DIR VKEY          golang.org/x/mod/sumdb/tlog derives the tree from the entries, checks every
//	                                     tile, proves inclusion and consistency
//	interop proofs     DIR VKEY FILE     ... and checks proofs that Servanda made, a line each
//	interop proof      VKEY FILE         ... and checks a proof file (c2sp.org/tlog-proof)
//	interop fsck       DIR VKEY          github.com/transparency-dev/tessera/fsck
//	interop client     DIR VKEY          .../tessera/client fetches every entry, proves inclusion and consistency
//	interop statements DIR VKEY ID       derives who may sign what, and checks every signature with crypto/ed25519
//	interop vectors    FILE              the same over docs/vectors.json, good entries and bad
//	interop metrics    URL               github.com/prometheus/common/expfmt reads URL/metrics
//
// DIR is the public part of a log, as a folder or as http://HOST/PREFIX; ID is the log's id. It ends with 0 and a line "ok ..." where all holds, with 1 and a
// line "refused: ..." where something does not or is not there, with 2 where it was not asked right.
package main

import (
	"fmt"
	"os"
)

// A command takes as many arguments as it says, and tells what holds.
type command struct {
	args int
	run  func(args []string) (string, error)
}

var commands = map[string]command{
	"note":       {2, openNote},
	"tree":       {2, checkTree},
	"proofs":     {3, checkProofs},
	"proof":      {2, checkProofFile},
	"fsck":       {2, runFsck},
	"client":     {2, runClient},
	"statements": {3, checkStatements},
	"vectors":    {1, checkVectors},
	"metrics":    {1, checkMetrics},
}

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	command, known := commands[os.Args[1]]
	if !known || len(os.Args) != 2+command.args {
		usage()
	}
	said, err := command.run(os.Args[2:])
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("ok", os.Args[1]+":", said)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: interop note|tree|proofs|proof|fsck|client|statements|vectors|metrics ARGUMENTS, see main.go")
	os.Exit(2)
}
