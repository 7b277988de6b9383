// Halves in memory are floats in lanes, converted where they are read and written.
//
// RUN: lamina-opt %s -t lamina-opencl | filecheck %s
// RUN: lamina-opt %s -t 'lamina-llvm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=LLVM
// RUN: lamina-opt %s -t 'lamina-asm{target="cpu:skylake-avx512"}' | filecheck %s --check-prefix=ASM

// CHECK-LABEL: __kernel void blocks(const __global half* restrict x, __global half* restrict y)
// CHECK:      const float2 a = convert_float2(as_half2(intel_sub_group_block_read_us2((const __global ushort*)(x + 0))));
// CHECK-NEXT: const float c = convert_float(as_half(intel_sub_group_block_read_us((const __global ushort*)(x + 32))));
// CHECK:      intel_sub_group_block_write_us((__global ushort*)(y + 0), as_ushort(convert_half_rte(t)));
// LLVM-LABEL: @blocks
// LLVM:       [[A:%.*]] = load <16 x half>, ptr {{.*}}, align 2
// LLVM-NEXT:  fpext <16 x half> [[A]] to <16 x float>
// LLVM:       [[T:%.*]] = fptrunc <16 x float> {{%.*}} to <16 x half>
// LLVM-NEXT:  store <16 x half> [[T]], ptr {{.*}}, align 2
// ASM-LABEL:  blocks:
// ASM-COUNT-3: vcvtph2ps {{.*}}, %zmm
// ASM:        vcvtps2ph {{.*}}%zmm
func.func @blocks(%x: memref<64xf16>, %y: memref<64xf16>) {
  %a, %b = vec.load_run %x[0] : memref<64xf16> -> vector<16xf32>, vector<16xf32>
  %c = vec.load %x[32] : memref<64xf16> -> vector<16xf32>
  %s = arith.addf %a, %b : vector<16xf32>
  %t = arith.addf %s, %c : vector<16xf32>
  vec.store %t, %y[0] : vector<16xf32>, memref<64xf16>
  func.return
}

// CHECK-LABEL: __kernel void lanes_one_by_one(
// CHECK:      const float a = vload_half(1 + lane, x);
// CHECK-NEXT: const float b = vload_half(3 + lane * 3, x);
// CHECK-NEXT: const float c = vload_half(7, x);
// CHECK:      vstore_half_rte(s, 1 + lane, y);
// CHECK-NEXT: vstore_half_rte(t, lane * 2, y);
// CHECK-NEXT: if (lane < 1) vstore_half_rte(c, 40, y);
// LLVM-LABEL: @lanes_one_by_one
// LLVM:       fpext half {{%.*}} to float
// LLVM:       fptrunc float {{%.*}} to half
func.func @lanes_one_by_one(%x: memref<64xf16>, %y: memref<64xf16>) {
  %a = vec.load %x[1] : memref<64xf16> -> vector<16xf32>
  %b = vec.load_strided %x[3] stride 3 : memref<64xf16> -> vector<16xf32>
  %c = vec.load %x[7] : memref<64xf16> -> f32
  %s = arith.addf %a, %b : vector<16xf32>
  %t = arith.mulf %a, %b : vector<16xf32>
  vec.store %s, %y[1] : vector<16xf32>, memref<64xf16>
  vec.store_strided %t, %y[0] stride 2 : vector<16xf32>, memref<64xf16>
  vec.store %c, %y[40] : f32, memref<64xf16>
  func.return
}
