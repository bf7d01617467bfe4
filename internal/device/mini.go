package device

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// miniClient is the smallest MQTT 3.1.1 client that measures the broker: it publishes with QoS 1 and waits for the PUBACK.
type miniClient struct {
	conn net.Conn
	r    *bufio.Reader
	id   uint16
	buf  []byte
}

var errAck = errors.New("the broker did not acknowledge")

// MQTT 3.1.1 packet types with their flags.
const (
	packetConnect   = 0x10
	packetConnack   = 0x20
	packetPublishQ1 = 0x32
	packetPuback    = 0x40
)

func dialMini(addr, clientID, user, password string) (*miniClient, error) {
	conn, err := net.DialTimeout("tcp", addr, writeTimeout)
	if err != nil {
		return nil, err
	}
	c := &miniClient{conn: conn, r: bufio.NewReader(conn)}
	body := appendText(nil, "MQTT")
	body = append(body, 4, 0xc2, 0, 0) // level 4, clean session with user and password, no keep-alive
	for _, s := range []string{clientID, user, password} {
		body = appendText(body, s)
	}
	answer, err := c.exchange(packetConnect, body)
	if err == nil && (answer[0] != packetConnack || answer[1] != 0) {
		err = fmt.Errorf("the broker refused the sign-in (%d)", answer[1])
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// publish sends with QoS 1 and answers nil once the PUBACK has come.
func (c *miniClient) publish(topic string, payload []byte) error {
	if c.id++; c.id == 0 {
		c.id = 1
	}
	body := appendText(c.buf[:0], topic)
	body = binary.BigEndian.AppendUint16(body, c.id)
	body = append(body, payload...)
	c.buf = body
	answer, err := c.exchange(packetPublishQ1, body)
	if err != nil {
		return err
	}
	if answer[0] != packetPuback || binary.BigEndian.Uint16(answer[1:]) != c.id {
		return errAck
	}
	return nil
}

// exchange sends a packet and reads the answer, which has two bytes: its type, then those (of a CONNACK the code first).
func (c *miniClient) exchange(kind byte, body []byte) ([3]byte, error) {
	var answer [3]byte
	if err := c.conn.SetDeadline(time.Now().Add(writeTimeout)); err != nil {
		return answer, err
	}
	head := binary.AppendUvarint([]byte{kind}, uint64(len(body))) // the remaining length is coded like a uvarint
	if _, err := (&net.Buffers{head, body}).WriteTo(c.conn); err != nil {
		return answer, err
	}
	var got [4]byte
	if _, err := io.ReadFull(c.r, got[:]); err != nil {
		return answer, err
	}
	if got[1] != 2 {
		return answer, errAck
	}
	answer = [3]byte{got[0], got[2], got[3]}
	if got[0] == packetConnack {
		answer = [3]byte{got[0], got[3], got[2]}
	}
	return answer, nil
}

func (c *miniClient) close() { c.conn.Close() }
