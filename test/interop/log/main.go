// Command log is a small transparency log on golang.org/x/mod's sumdb/note and sumdb/tlog, none of it Firebreak's. It grows
// and asks a C2SP tlog-witness to cosign each of its checkpoints:
//
//	log -skey SKEY -vkey VKEY -witness VKEY URL SIZE...
//
// For each size in turn it signs a checkpoint with note.Sign, proves with tlog.ProveTree that it continues the one before,
// POSTs both to URL/add-checkpoint, and opens checkpoint and answer together with note.Open, the log's key and the
// witness's. A line "cosigned SIZE at TIME" for each, or exit code 1 and what is wrong.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A cosigner is a note.Verifier of c2sp.org/tlog-cosignature, signature type 0x04.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, errors.New("not a verifier key")
	}
	id, err := hex.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(data) != 33 || data[0] != 4 {
		return nil, errors.New("not the key of a witness")
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), data...))
	if string(sum[:4]) != string(id) {
		return nil, errors.New("the hash in the key is not its own")
	}
	return &cosigner{name: parts[0], hash: binary.BigEndian.Uint32(id), key: data[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	c.time = binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", c.time, msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

type growingLog struct {
	signer note.Signer
	hashes []tlog.Hash
	size   int64
}

func (l *growingLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = l.hashes[index]
	}
	return found, nil
}

func (l *growingLog) growTo(size int64) error {
	for ; l.size < size; l.size++ {
		stored, err := tlog.StoredHashes(l.size, []byte(fmt.Sprintf("entry %d", l.size)), l)
		if err != nil {
			return err
		}
		l.hashes = append(l.hashes, stored...)
	}
	return nil
}

// request is the body of an add-checkpoint call, and the checkpoint in it.
func (l *growingLog) request(old int64) (body, checkpoint string, err error) {
	root, err := tlog.TreeHash(l.size, l)
	if err != nil {
		return "", "", err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", l.signer.Name(), l.size, root)
	signed, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		return "", "", err
	}
	var lines strings.Builder
	if 0 < old && old < l.size {
		proof, err := tlog.ProveTree(l.size, old, l)
		if err != nil {
			return "", "", err
		}
		for _, hash := range proof {
			fmt.Fprintln(&lines, hash)
		}
	}
	return fmt.Sprintf("old %d\n%s\n%s", old, lines.String(), signed), string(signed), nil
}

func (l *growingLog) cosign(url string, old int64, verifier note.Verifier, witness *cosigner) error {
	body, checkpoint, err := l.request(old)
	if err != nil {
		return err
	}
	response, err := http.Post(url+"/add-checkpoint", "text/plain", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("size %d: status %d: %s", l.size, response.StatusCode, answer)
	}
	opened, err := note.Open([]byte(checkpoint+string(answer)), note.VerifierList(verifier, witness))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != 2 || len(opened.UnverifiedSigs) != 0 {
		return fmt.Errorf("size %d: %d signatures verified", l.size, len(opened.Sigs))
	}
	fmt.Printf("cosigned %d at %d\n", l.size, witness.time)
	return nil
}

func run(skey, vkey, witnessKey, url string, sizes []string) error {
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	witness, err := newCosigner(witnessKey)
	if err != nil {
		return err
	}
	grown := &growingLog{signer: signer}
	for _, text := range sizes {
		size, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		old := grown.size
		if err := grown.growTo(size); err != nil {
			return err
		}
		if err := grown.cosign(url, old, verifier, witness); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	skey := flag.String("skey", "", "signer key of the log")
	vkey := flag.String("vkey", "", "verifier key of the log")
	witness := flag.String("witness", "", "verifier key of the witness")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: log -skey SKEY -vkey VKEY -witness VKEY URL SIZE...")
		os.Exit(2)
	}
	if err := run(*skey, *vkey, *witness, flag.Arg(0), flag.Args()[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "not ok:", err)
		os.Exit(1)
	}
}
