// Where the factors of a product stand in memory: the sources that tile.cuh describes.
#pragma once

#include "tile.cuh"

// A matrix [lines, depths] whose rows are contiguous, `stride` elements apart.
template <class T>
struct MatrixRows {
    static constexpr bool kOverlaps = false;
    using Line = const T*;
    using Depth = int;
    using Step = int;

    const T* first;
    long long stride;
    int lines;
    int depths;

    __device__ __forceinline__ Line line(int index) const {
        return index < lines ? first + index * stride : nullptr;
    }
    __device__ __forceinline__ Depth depth(int index) const {
        return index;
    }
    __device__ __forceinline__ Step step(int count) const {
        return count;
    }
    __device__ __forceinline__ void advance(Depth& depth, Step step) const {
        depth += step;
    }
    __device__ __forceinline__ const T* at(Line line, Depth depth) const {
        return line != nullptr && depth < depths ? line + depth : nullptr;
    }
    __device__ __forceinline__ const T* anywhere() const {
        return first;
    }
};

// A matrix [depths, lines] whose rows are contiguous, `stride` elements apart.
template <class T>
struct MatrixColumns {
    static constexpr bool kOverlaps = false;
    using Line = int;
    struct Depth {
        const T* row;
        int left;
    };
    struct Step {
        long long elements;
        int rows;
    };

    const T* first;
    long long stride;
    int lines;
    int depths;

    __device__ __forceinline__ Line line(int index) const {
        return index;
    }
    __device__ __forceinline__ Depth depth(int index) const {
        return {first + index * stride, depths - index};
    }
    __device__ __forceinline__ Step step(int count) const {
        return {count * stride, count};
    }
    __device__ __forceinline__ void advance(Depth& depth, Step step) const {
        depth.row += step.elements;
        depth.left -= step.rows;
    }
    __device__ __forceinline__ const T* at(Line line, Depth depth) const {
        return line < lines && depth.left > 0 ? depth.row + line : nullptr;
    }
    __device__ __forceinline__ const T* anywhere() const {
        return first;
    }
};

// The matrix [pixels, taps · channels] of what each result pixel of a convolution sees: result pixel (y, x) of an image
// sees, through tap (ky, kx), the pixel ((y·scale + shift + sign·ky) / divisor, …) of that image, if the division is
// exact and the pixel exists, and zero otherwise. A convolution has scale = stride, shift = -padding, sign = 1 and
// divisor = 1; its transpose, by which gradients flow back, scale = 1, shift = padding, sign = -1 and divisor = stride.
template <class T>
struct Patches {
    // A coordinate that no step brings back into an image.
    static constexpr int kFar = 1 << 29;

    const T* images;
    int height;
    int width;
    int channels;
    int kernel;
    int result_height;
    int result_width;
    int results;  // pixels of all images
    int scale;
    int shift;
    int sign;
    int divisor;

    // Where a result pixel sees tap (0, 0), before the division.
    struct Pixel {
        const T* image;
        int y;
        int x;
    };
    // Signed by the direction of the taps.
    struct Tap {
        int y;
        int x;
        int channel;
    };

    __device__ __forceinline__ Pixel pixel(int index) const {
        if (index >= results) {
            return {images, -2 * kFar, 0};
        }
        const int row = index / result_width;
        const int image = row / result_height;
        return {images + static_cast<long long>(image) * height * width * channels,
                (row - image * result_height) * scale + shift, (index - row * result_width) * scale + shift};
    }

    __device__ __forceinline__ Tap tap(int index) const {
        const int tap = index / channels;
        const int y = tap / kernel;
        return {sign * (y < kernel ? y : kFar), sign * (tap - y * kernel), index - tap * channels};
    }

    __device__ __forceinline__ const T* at(const Pixel& pixel, const Tap& tap) const {
        int y = pixel.y + tap.y;
        int x = pixel.x + tap.x;
        if (divisor > 1) {
            const int whole_y = y / divisor;
            const int whole_x = x / divisor;
            if (whole_y * divisor != y || whole_x * divisor != x) {
                return nullptr;
            }
            y = whole_y;
            x = whole_x;
        }
        const bool inside = static_cast<unsigned>(y) < static_cast<unsigned>(height) &&
                            static_cast<unsigned>(x) < static_cast<unsigned>(width);
        return inside ? pixel.image + ((y * width + x) * channels + tap.channel) : nullptr;
    }

    __device__ __forceinline__ const T* anywhere() const {
        return images;
    }
};

// Patches with pixels as lines and taps as depth: the left factor of a convolution.
template <class T>
struct PatchRows : Patches<T> {
    static constexpr bool kOverlaps = true;
    using Line = typename Patches<T>::Pixel;
    using Depth = typename Patches<T>::Tap;
    // How many taps further in y, in x and how many channels.
    using Step = typename Patches<T>::Tap;

    // Where every division is by 1, the image of a line is counted from its own pixel, so that a tap adds the same
    // offset to all lines.
    __device__ __forceinline__ Line line(int index) const {
        Line line = this->pixel(index);
        if (this->divisor == 1 && index < this->results) {
            line.image += offset(line.y, line.x);
        }
        return line;
    }
    __device__ __forceinline__ const T* at(const Line& line, const Depth& depth) const {
        if (this->divisor > 1) {
            return Patches<T>::at(line, depth);
        }
        const bool inside = static_cast<unsigned>(line.y + depth.y) < static_cast<unsigned>(this->height) &&
                            static_cast<unsigned>(line.x + depth.x) < static_cast<unsigned>(this->width);
        return inside ? line.image + (offset(depth.y, depth.x) + depth.channel) : nullptr;
    }
    __device__ __forceinline__ Depth depth(int index) const {
        return this->tap(index);
    }
    __device__ __forceinline__ Step step(int count) const {
        const int taps = count / this->channels;
        const int y = taps / this->kernel;
        return {this->sign * y, this->sign * (taps - y * this->kernel), count - taps * this->channels};
    }
    __device__ __forceinline__ void advance(Depth& depth, const Step& step) const {
        depth.y += step.y;
        depth.x += step.x;
        depth.channel += step.channel;
        if (depth.channel >= this->channels) {
            depth.channel -= this->channels;
            depth.x += this->sign;
        }
        if (depth.x * this->sign >= this->kernel) {
            depth.x -= this->sign * this->kernel;
            depth.y += this->sign;
        }
        if (depth.y * this->sign >= this->kernel) {
            depth.y = this->sign * Patches<T>::kFar;
        }
    }

private:
    // Of the pixels so far on; past the last tap, whatever.
    __device__ __forceinline__ int offset(int y, int x) const {
        return static_cast<int>((static_cast<unsigned>(y) * this->width + x) * this->channels);
    }
};

// Patches with taps as lines and pixels as depth: the left factor of a weight gradient. Scale 1 or more, sign 1.
template <class T>
struct PatchColumns : Patches<T> {
    static constexpr bool kOverlaps = false;
    using Line = typename Patches<T>::Tap;
    struct Depth {
        typename Patches<T>::Pixel pixel;
        int left;
    };
    // In units of a result pixel, but x and y scaled.
    struct Step {
        long long elements;
        int y;
        int x;
        int pixels;
    };

    __device__ __forceinline__ Line line(int index) const {
        return this->tap(index);
    }
    __device__ __forceinline__ Depth depth(int index) const {
        return {this->pixel(index), this->results - index};
    }
    __device__ __forceinline__ Step step(int count) const {
        const int rows = count / this->result_width;
        const int images = rows / this->result_height;
        return {images * image_elements(), (rows - images * this->result_height) * this->scale,
                (count - rows * this->result_width) * this->scale, count};
    }
    __device__ __forceinline__ void advance(Depth& depth, const Step& step) const {
        depth.left -= step.pixels;
        depth.pixel.image += step.elements;
        depth.pixel.y += step.y;
        depth.pixel.x += step.x;
        if (depth.pixel.x >= this->result_width * this->scale + this->shift) {
            depth.pixel.x -= this->result_width * this->scale;
            depth.pixel.y += this->scale;
        }
        if (depth.pixel.y >= this->result_height * this->scale + this->shift) {
            depth.pixel.y -= this->result_height * this->scale;
            depth.pixel.image += image_elements();
        }
    }
    __device__ __forceinline__ const T* at(const Line& line, const Depth& depth) const {
        return depth.left > 0 ? Patches<T>::at(depth.pixel, line) : nullptr;
    }

private:
    __device__ __forceinline__ long long image_elements() const {
        return static_cast<long long>(this->height) * this->width * this->channels;
    }
};
