// The ChaCha20 block function of RFC 8439: org.sapwood.privacy.random.ChaCha20.
#pragma once

#include "sapwood.cuh"

// Which key stream; blocks are addressed by a 32-bit counter. As secret as the data that its noise hides.
struct ChaCha20 {
    unsigned key[8];
    unsigned nonce[3];
};

__device__ __forceinline__ void quarter_round(unsigned& a, unsigned& b, unsigned& c, unsigned& d) {
    a += b;
    d = __funnelshift_l(d ^ a, d ^ a, 16);
    c += d;
    b = __funnelshift_l(b ^ c, b ^ c, 12);
    a += b;
    d = __funnelshift_l(d ^ a, d ^ a, 8);
    c += d;
    b = __funnelshift_l(b ^ c, b ^ c, 7);
}

// Block `counter` as eight little-endian 64-bit words.
__device__ __forceinline__ void chacha20_block(
    const ChaCha20& stream, unsigned counter, unsigned long long (&words)[8]) {
    const unsigned start[16] = {0x61707865u,      0x3320646eu,      0x79622d32u,      0x6b206574u,
                                stream.key[0],    stream.key[1],    stream.key[2],    stream.key[3],
                                stream.key[4],    stream.key[5],    stream.key[6],    stream.key[7],
                                counter,          stream.nonce[0],  stream.nonce[1],  stream.nonce[2]};
    unsigned x[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) {
        x[i] = start[i];
    }
#pragma unroll 2
    for (int round = 0; round < 10; ++round) {
        quarter_round(x[0], x[4], x[8], x[12]);
        quarter_round(x[1], x[5], x[9], x[13]);
        quarter_round(x[2], x[6], x[10], x[14]);
        quarter_round(x[3], x[7], x[11], x[15]);
        quarter_round(x[0], x[5], x[10], x[15]);
        quarter_round(x[1], x[6], x[11], x[12]);
        quarter_round(x[2], x[7], x[8], x[13]);
        quarter_round(x[3], x[4], x[9], x[14]);
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const unsigned low = x[2 * i] + start[2 * i];
        const unsigned high = x[2 * i + 1] + start[2 * i + 1];
        words[i] = static_cast<unsigned long long>(high) << 32 | low;
    }
}
