// Without subgroups, a vector is the work-items of a work-group: what all lanes need each reads, and
// of what lies side by side each its own. The IR is that of contraction.mlir.
//
// RUN: lamina-opt %S/../inputs/contraction.mlir -p 'loop-map-to-grid{lanes=work_items}' -t 'lamina-opencl{target="opencl:portable"}' | filecheck %s
// RUN: lamina-opt %S/../inputs/contraction.mlir -p 'loop-map-to-grid{lanes=work_items}' -t 'lamina-opencl{target="opencl:portable"}' | filecheck %s --check-prefix=NONE

// CHECK:      // a work-group of 16 for each of oco < 2, oh < 6, owo < 3
// CHECK-NEXT: __attribute__((reqd_work_group_size(16, 1, 1)))
// CHECK-NEXT: __kernel void blocks(const __global float* restrict x, const __global float* restrict w, const __global float* restrict bias, __global float* restrict y)
// CHECK-NEXT: {
// CHECK-NEXT:     const uint lane = get_local_id(0);
// CHECK-NEXT:     const uint owo = get_group_id(0);
// CHECK-NEXT:     const uint oh = get_group_id(1);
// CHECK-NEXT:     const uint oco = get_group_id(2);
// CHECK-NEXT:     float acc = 0.0f;
// CHECK-NEXT:     float acc_1 = 0.0f;
// CHECK-NEXT:     ROLLED for (uint kh = 0; kh < 3; ++kh)
// CHECK-NEXT:     ROLLED for (uint kw = 0; kw < 3; ++kw) {
// CHECK-NEXT:         const float [[X:v[0-9]+]] = x[kh * 128 + oh * 128 + kw * 16 + owo * 32];
// CHECK-NEXT:         const float [[W:v[0-9]+]] = w[oco * 2304 + kh * 768 + kw * 256 + lane];
// CHECK-NEXT:         const float [[S:v[0-9]+]] = fma([[X]], [[W]], acc);
// CHECK:              acc = v
// CHECK-NEXT:         acc_1 = v
// CHECK-NEXT:     }
// CHECK:          y[oco * 576 + oh * 96 + owo * 32 + lane] = v
// CHECK:          y[oco * 576 + oh * 96 + owo * 32 + 16 + lane] = v

// NONE-NOT: sub_group
// NONE-NOT: __local
// NONE:     __kernel void blocks(
// NONE-NOT: sub_group
// NONE-NOT: __local
// NONE-NOT: float {{[a-z_0-9]+}}[
// NONE-NOT: barrier
