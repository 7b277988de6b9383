// One contraction over blocks of 16 channels: the same vectors are registers of a CPU and subgroups
// of a graphics processor. The two targets differ in one pass, that turns splats of 16 neighbours
// into lanes of one load; another one loads two neighbouring vectors at once.
//
// RUN: lamina-opt %s -p te-contract-fma,te-schedule,te-to-loops,te-to-vec | filecheck %s
// RUN: lamina-opt %s -p te-contract-fma,te-schedule,te-to-loops,te-to-vec -t 'lamina-llvm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=CPU
// RUN: lamina-opt %s -p te-contract-fma,te-schedule,te-to-loops,te-to-vec,vec-splat-lanes,loop-map-to-grid -t lamina-opencl | filecheck %s --check-prefix=OPENCL
// RUN: lamina-opt %s -p te-contract-fma,te-schedule,te-to-loops,te-to-vec,vec-splat-lanes,vec-join-loads,loop-map-to-grid -t lamina-opencl | filecheck %s --check-prefix=PAIRS

// CHECK-LABEL: func.func private @blocks(
// CHECK:       loop.for %oco < 2 parallel {
// CHECK:         loop.for %oh < 6 parallel {
// CHECK:           loop.for %owo < 3 parallel {
// CHECK:             loop.for %kh < 3, %kw < 3 iter(
// CHECK:               %[[X:.*]] = vec.load_splat %x[%kh + %oh, %kw + %owo * 2, 0] : memref<8x8x16xf32> -> vector<16xf32>
// CHECK:               %[[W:.*]] = vec.load %w[%oco, %kh, %kw, 0, 0] : memref<2x3x3x16x16xf32> -> vector<16xf32>
// CHECK:               math.fma %[[X]], %[[W]], %{{.*}} : vector<16xf32>

// CPU-LABEL: define void @blocks(ptr noalias %x, ptr noalias %w, ptr noalias %bias, ptr noalias %y)
// CPU: load <16 x float>, ptr
// CPU: call <16 x float> @llvm.fma.v16f32(
// CPU: store <16 x float>

// OPENCL:      #pragma OPENCL FP_CONTRACT OFF
// OPENCL:      // a subgroup of 16 for each of oco < 2, oh < 6, owo < 3
// OPENCL-NEXT: __attribute__((intel_reqd_sub_group_size(16)))
// OPENCL-NEXT: __attribute__((reqd_work_group_size(16, 1, 1)))
// OPENCL-NEXT: __kernel void blocks(const __global float* restrict x, const __global float* restrict w, const __global float* restrict bias, __global float* restrict y)
// OPENCL-NEXT: {
// OPENCL-NEXT:     const uint owo = get_group_id(0);
// OPENCL-NEXT:     const uint oh = get_group_id(1);
// OPENCL-NEXT:     const uint oco = get_group_id(2);
// OPENCL-NEXT:     float acc = 0.0f;
// OPENCL-NEXT:     float acc_1 = 0.0f;
// OPENCL-NEXT:     for (uint kh = 0; kh < 3; ++kh)
// OPENCL-NEXT:     for (uint kw = 0; kw < 3; ++kw) {
// OPENCL:              const float [[X0:x_[0-9]+]] = as_float(intel_sub_group_block_read((const __global uint*)(x + kh * 128 + kw * 16 + oh * 128 + owo * 32)));
// OPENCL:              = intel_sub_group_shuffle([[X0]], 0);
// OPENCL:              = fma(
// OPENCL:              = intel_sub_group_shuffle([[X0]], 15);
// OPENCL:              acc = v
// OPENCL-NEXT:         acc_1 = v
// OPENCL-NEXT:     }
// OPENCL:          const float [[B:v[0-9]+]] = as_float(intel_sub_group_block_read((const __global uint*)(bias + oco * 16)));
// OPENCL:          const float [[S:v[0-9]+]] = acc + [[B]];
// OPENCL:          const float [[R:v[0-9]+]] = [[S]] != [[S]] || [[S]] > 0.0f ? [[S]] : 0.0f;
// OPENCL:          intel_sub_group_block_write((__global uint*)(y + oco * 576 + oh * 96 + owo * 32), as_uint([[R]]));
// No array of a work-item is left, and no element is read alone: two rows of pixels are a message,
// and so are the weights of two inputs.
// PAIRS-LABEL: __kernel void blocks(
// PAIRS-NOT:     [
// PAIRS:         const float2 [[X:x_[0-9]+]] = as_float2(intel_sub_group_block_read2((const __global uint*)(x + kh * 128 + kw * 16 + oh * 128 + owo * 32)));
// PAIRS-NOT:     [
// PAIRS:         const float2 [[W:v[0-9]+]] = as_float2(intel_sub_group_block_read2((const __global uint*)(w +
// PAIRS-NOT:     [
// PAIRS:         = intel_sub_group_shuffle([[X]].s1, 0);
// PAIRS-NOT:     [
// PAIRS:         intel_sub_group_block_write(
func.func private @blocks(%x: memref<8x8x16xf32>, %w: memref<2x3x3x16x16xf32>, %bias: memref<32xf32>, %y: memref<2x6x6x16xf32>) {
  te.compute
    axes(oc: 32, oh: 6, ow: 6, reduce ic: 16, reduce kh: 3, reduce kw: 3)
    ins(%x[oh + kh, ow + kw, ic], %w[oc floordiv 16, kh, kw, ic, oc mod 16])
    extras(%bias[oc])
    out(%y[oc floordiv 16, oh, ow, oc mod 16])
    init 0.0 : f32
    schedule [split oc 16 oco ocv, split ow 2 owo owi, order oco oh owo kh kw ic owi ocv, parallel oco oh owo, unroll ic owi, vector ocv]
    : memref<8x8x16xf32>, memref<2x3x3x16x16xf32>, memref<32xf32>, memref<2x6x6x16xf32>
    (%a: f32, %b: f32, %acc: f32) {
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %acc, %p : f32
      te.yield %s : f32
    } epilogue (%v: f32, %c: f32) {
      %zero = arith.constant 0.0 : f32
      %t = arith.addf %v, %c : f32
      %r = arith.maximumf %t, %zero : f32
      te.yield %r : f32
    }
  func.return
}
