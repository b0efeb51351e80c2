/*
 * OpenBLAS beside Sapwood's SIMD matrix product: median GFLOP/s of C = A·B in float32 on one thread, for the sizes given, in
 * processor time, which other processes on the machine disturb less than wall time.
 *
 *   gcc -O2 openblas_gemm.c -o openblas_gemm -l:libopenblas.so.0    (Debian: libopenblas0-serial)
 *   ./openblas_gemm 1024x1024x1024 784x64x576
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, REPEATS = 41 };

void cblas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc);

static double processor_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static float *filled(size_t n) {
    float *values = malloc(n * sizeof *values);
    for (size_t i = 0; i < n; i++) values[i] = (float)rand() / (float)RAND_MAX - 0.5f;
    return values;
}

int main(int argc, char **argv) {
    for (int arg = 1; arg < argc; arg++) {
        int m, n, k;
        if (sscanf(argv[arg], "%dx%dx%d", &m, &n, &k) != 3) {
            fprintf(stderr, "expected MxNxK, got %s\n", argv[arg]);
            return 2;
        }
        float *a = filled((size_t)m * k), *b = filled((size_t)k * n), *c = filled((size_t)m * n);
        double flops = 2.0 * m * n * k;
        int inner = (int)(5e8 / flops) + 1;
        double seconds[REPEATS];
        for (int repeat = -5; repeat < REPEATS; repeat++) {
            double start = processor_time();
            for (int i = 0; i < inner; i++) {
                cblas_sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1, a, k, b, n, 0, c, n);
            }
            if (repeat >= 0) seconds[repeat] = (processor_time() - start) / inner;
        }
        qsort(seconds, REPEATS, sizeof *seconds, compare);
        printf("%s %.1f GFLOP/s\n", argv[arg], flops / seconds[REPEATS / 2] * 1e-9);
        free(a);
        free(b);
        free(c);
    }
    return 0;
}
