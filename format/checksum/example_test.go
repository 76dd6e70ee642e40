package checksum_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"spate/format/checksum"
)

func Example() {
	const list = "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730  ./bar\n" +
		"b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c  ./foo\n"
	sum, err := checksum.ReadList(strings.NewReader(list), "foo")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum)

	var set checksum.Set
	if err := set.Expect(sum); err != nil {
		log.Fatal(err)
	}
	_, _ = io.WriteString(&set, "foo\n")
	fmt.Println(set.Verify())

	_, _ = io.WriteString(&set, "and more")
	fmt.Println(errors.Is(set.Verify(), checksum.ErrMismatch))
	// Output:
	// sha-256=b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c
	// <nil>
	// true
}
