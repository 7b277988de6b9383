// The vectors of a contraction are subgroups; cpu/contraction.mlir reads the same file. The two
// differ in one pass, that turns splats of 16 neighbours into lanes of one load; another one loads
// two neighbouring vectors at once.
//
// RUN: lamina-opt %S/../inputs/contraction.mlir -p vec-splat-lanes,loop-map-to-grid -t lamina-opencl | filecheck %s
// RUN: lamina-opt %S/../inputs/contraction.mlir -p vec-splat-lanes,vec-join-loads,loop-map-to-grid -t lamina-opencl | filecheck %s --check-prefix=PAIRS

// CHECK:      #pragma OPENCL FP_CONTRACT OFF
// CHECK:      // a subgroup of 16 for each of oco < 2, oh < 6, owo < 3
// CHECK-NEXT: __attribute__((intel_reqd_sub_group_size(16)))
// CHECK-NEXT: __attribute__((reqd_work_group_size(16, 1, 1)))
// CHECK-NEXT: __kernel void blocks(const __global float* restrict x, const __global float* restrict w, const __global float* restrict bias, __global float* restrict y)
// CHECK-NEXT: {
// CHECK-NEXT:     const uint owo = get_group_id(0);
// CHECK-NEXT:     const uint oh = get_group_id(1);
// CHECK-NEXT:     const uint oco = get_group_id(2);
// CHECK-NEXT:     float acc = 0.0f;
// CHECK-NEXT:     float acc_1 = 0.0f;
// CHECK-NEXT:     for (uint kh = 0; kh < 3; ++kh)
// CHECK-NEXT:     for (uint kw = 0; kw < 3; ++kw) {
// CHECK:              const float [[X0:x_[0-9]+]] = as_float(intel_sub_group_block_read((const __global uint*)(x + kh * 128 + oh * 128 + kw * 16 + owo * 32)));
// CHECK:              = intel_sub_group_shuffle([[X0]], 0);
// CHECK:              = fma(
// CHECK:              = intel_sub_group_shuffle([[X0]], 15);
// CHECK:              acc = v
// CHECK-NEXT:         acc_1 = v
// CHECK-NEXT:     }
// CHECK:          const float [[B:v[0-9]+]] = as_float(intel_sub_group_block_read((const __global uint*)(bias + oco * 16)));
// CHECK:          const float [[S:v[0-9]+]] = acc + [[B]];
// CHECK:          const float [[R:v[0-9]+]] = [[S]] != [[S]] || [[S]] > 0.0f ? [[S]] : 0.0f;
// CHECK:          intel_sub_group_block_write((__global uint*)(y + oco * 576 + oh * 96 + owo * 32), as_uint([[R]]));
// No array of a work-item is left, and no element is read alone: two rows of pixels are a message,
// and so are the weights of two inputs.
// PAIRS-LABEL: __kernel void blocks(
// PAIRS-NOT:     [
// PAIRS:         const float2 [[X:x_[0-9]+]] = as_float2(intel_sub_group_block_read2((const __global uint*)(x + kh * 128 + oh * 128 + kw * 16 + owo * 32)));
// PAIRS-NOT:     [
// PAIRS:         const float2 [[W:v[0-9]+]] = as_float2(intel_sub_group_block_read2((const __global uint*)(w +
// PAIRS-NOT:     [
// PAIRS:         = intel_sub_group_shuffle([[X]].s1, 0);
// PAIRS-NOT:     [
// PAIRS:         intel_sub_group_block_write(
