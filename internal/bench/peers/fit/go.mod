module doorstep/internal/bench/peers/fit

go 1.26

require github.com/muktihari/fit v0.26.1
