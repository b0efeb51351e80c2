// A stand-in for libcublas for ProvidersTest: multiplies column-major matrices on the host, as plainly as can be, and
// remembers what it was told. Refuses the leading dimensions that cuBLAS refuses.
//
//   gcc -shared -fPIC -DVERSION=130101 -o libcublas.so.13 fake_cublas.c

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef VERSION
#define VERSION 130101
#endif

enum { SUCCESS = 0, INVALID_VALUE = 7, NOT_SUPPORTED = 15 };
enum { FLOAT32 = 0, BFLOAT16 = 14 };

// Read and written by the test as an array of 64-bit integers.
struct {
    int64_t live_handles;
    int64_t stream;
    int64_t workspace;
    int64_t workspace_bytes;
    int64_t compute_type;
    int64_t algorithm;
    int64_t calls;
    int64_t next_status;
} fake_record;

static int handle;

// The status of a call, which the test may have spoilt.
static int status_of_call(void) {
    int status = (int)fake_record.next_status;
    fake_record.next_status = SUCCESS;
    return status;
}

const char *cublasGetStatusName(int status) {
    return status == NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED" : "CUBLAS_STATUS_INVALID_VALUE";
}

int cublasGetVersion_v2(void *unused, int *version) {
    (void)unused;
    *version = VERSION;
    return SUCCESS;
}

int cublasCreate_v2(void **created) {
    int status = status_of_call();
    if (status == SUCCESS) {
        *created = &handle;
        fake_record.live_handles++;
    }
    return status;
}

int cublasDestroy_v2(void *destroyed) {
    fake_record.live_handles--;
    return destroyed == &handle ? SUCCESS : INVALID_VALUE;
}

// As in cuBLAS, a new stream makes it forget the workspace.
int cublasSetStream_v2(void *of, void *stream) {
    fake_record.stream = (int64_t)stream;
    fake_record.workspace = 0;
    return of == &handle ? SUCCESS : INVALID_VALUE;
}

int cublasSetWorkspace_v2(void *of, void *workspace, size_t bytes) {
    fake_record.workspace = (int64_t)workspace;
    fake_record.workspace_bytes = (int64_t)bytes;
    return of == &handle ? SUCCESS : INVALID_VALUE;
}

static float element(const void *matrix, int type, int64_t index) {
    if (type == FLOAT32) {
        return ((const float *)matrix)[index];
    }
    uint32_t bits = (uint32_t)((const uint16_t *)matrix)[index] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int64_t at(int transposed, int row, int column, int leading) {
    return transposed ? (int64_t)row * leading + column : (int64_t)column * leading + row;
}

static int at_least(int least) { return least > 1 ? least : 1; }

int cublasGemmStridedBatchedEx(void *of, int transpose_a, int transpose_b, int m, int n, int k, const float *alpha,
                               const void *a, int type_a, int lda, long long stride_a, const void *b, int type_b,
                               int ldb, long long stride_b, const float *beta, float *c, int type_c, int ldc,
                               long long stride_c, int batch, int compute_type, int algorithm) {
    fake_record.calls++;
    fake_record.compute_type = compute_type;
    fake_record.algorithm = algorithm;
    int status = status_of_call();
    if (status != SUCCESS) {
        return status;
    }
    if (of != &handle || type_c != FLOAT32 || type_a != type_b || lda < at_least(transpose_a ? k : m) ||
        ldb < at_least(transpose_b ? n : k) || ldc < at_least(m)) {
        return INVALID_VALUE;
    }
    for (int i = 0; i < batch; i++) {
        for (int column = 0; column < n; column++) {
            for (int row = 0; row < m; row++) {
                double sum = 0;
                for (int j = 0; j < k; j++) {
                    sum += (double)element(a, type_a, i * stride_a + at(transpose_a, row, j, lda)) *
                           element(b, type_b, i * stride_b + at(transpose_b, j, column, ldb));
                }
                float *result = c + i * stride_c + at(0, row, column, ldc);
                // With beta 0 the old value is not read: it may be NaN.
                *result = (float)(*alpha * sum + (*beta == 0 ? 0 : (double)*beta * *result));
            }
        }
    }
    return SUCCESS;
}

int cublasGemmEx(void *of, int transpose_a, int transpose_b, int m, int n, int k, const float *alpha, const void *a,
                 int type_a, int lda, const void *b, int type_b, int ldb, const float *beta, float *c, int type_c,
                 int ldc, int compute_type, int algorithm) {
    return cublasGemmStridedBatchedEx(of, transpose_a, transpose_b, m, n, k, alpha, a, type_a, lda, 0, b, type_b, ldb,
                                      0, beta, c, type_c, ldc, 0, 1, compute_type, algorithm);
}
