// Compose-config is `docker compose config --format=json` without Docker, by the library that is Compose's own:
// compose-config FILE... merges the files and puts in the variables of the environment.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithOsEnv, cli.WithProfiles([]string{"*"}))
	exitOn(err)
	project, err := options.LoadProject(context.Background())
	exitOn(err)
	written, err := project.MarshalJSON()
	exitOn(err)
	fmt.Println(string(written))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
