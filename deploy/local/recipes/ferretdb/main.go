// Command ferretdb serves the MongoDB wire protocol from SQLite files in one directory.
package main

import (
	"context"
	"flag"
	"log"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	address := flag.String("listen", "127.0.0.1:27017", "TCP address to serve")
	data := flag.String("data", ".", "existing directory for the SQLite files")
	flag.Parse()

	config := ferretdb.Config{Handler: "sqlite", SQLiteURL: "file:" + *data + "/"}
	config.Listener.TCP = *address
	server, err := ferretdb.New(&config)
	if err != nil {
		log.Fatalf("cannot open %s: %v", *data, err)
	}

	untilTold, forget := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer forget()
	if err := server.Run(untilTold); err != nil {
		log.Fatalf("cannot serve %s: %v", *address, err)
	}
}
