// Vectors that lie one behind the other are one block, where the address allows it.
//
// RUN: lamina-opt %s -t lamina-opencl | filecheck %s

// CHECK-LABEL: __kernel void blocks(
// CHECK:      const float2 a = as_float2(intel_sub_group_block_read2((const __global uint*)(x + 16)));
// CHECK-NEXT: const float s = a.s0 + a.s1;
// CHECK:      const uint4 c = intel_sub_group_block_read4((const __global uint*)(w + 64));
// CHECK-NEXT: const ushort2 h = intel_sub_group_block_read_us2((const __global ushort*)(z + 2));
// CHECK:      = as_uint(c.s3);
// CHECK:      const ushort u = h.s0 + h.s1;
func.func @blocks(%x: memref<64xf32>, %w: memref<512xi8>, %z: memref<64xi16>, %y: memref<16xf32>, %v: memref<16xi32>, %q: memref<16xi16>) {
  %a, %b = vec.load_run %x[16] : memref<64xf32> -> vector<16xf32>, vector<16xf32>
  %s = arith.addf %a, %b : vector<16xf32>
  vec.store %s, %y[0] : vector<16xf32>, memref<16xf32>
  %c, %d, %e, %f = vec.load_run %w[64] : memref<512xi8> -> vector<16x4xi8>, vector<16x4xi8>, vector<16x4xi8>, vector<16x4xi8>
  %h, %i = vec.load_run %z[2] : memref<64xi16> -> vector<16xi16>, vector<16xi16>
  %c4 = vec.bitcast %c : vector<16x4xi8> to vector<16xi32>
  %f4 = vec.bitcast %f : vector<16x4xi8> to vector<16xi32>
  %t = arith.addi %c4, %f4 : vector<16xi32>
  %u = arith.addi %h, %i : vector<16xi16>
  vec.store %t, %v[0] : vector<16xi32>, memref<16xi32>
  vec.store %u, %q[0] : vector<16xi16>, memref<16xi16>
  func.return
}

// CHECK-LABEL: __kernel void lanes_one_by_one(
// CHECK:      const uchar a = x[1 + lane];
// CHECK-NEXT: const uchar b = x[1 + lane + 16];
// CHECK-NEXT: const float c = as_float(intel_sub_group_block_read((const __global uint*)(y + 0)));
// CHECK-NEXT: const float d = as_float(intel_sub_group_block_read((const __global uint*)(y + 0 + 16)));
// CHECK-NEXT: const float e = as_float(intel_sub_group_block_read((const __global uint*)(y + 0 + 32)));
func.func @lanes_one_by_one(%x: memref<64xi8>, %y: memref<64xf32>, %z: memref<64xi8>, %w: memref<64xf32>) {
  %a, %b = vec.load_run %x[1] : memref<64xi8> -> vector<16xi8>, vector<16xi8>
  %c, %d, %e = vec.load_run %y[0] : memref<64xf32> -> vector<16xf32>, vector<16xf32>, vector<16xf32>
  vec.store %a, %z[0] : vector<16xi8>, memref<64xi8>
  vec.store %b, %z[16] : vector<16xi8>, memref<64xi8>
  vec.store %c, %w[0] : vector<16xf32>, memref<64xf32>
  vec.store %d, %w[16] : vector<16xf32>, memref<64xf32>
  vec.store %e, %w[32] : vector<16xf32>, memref<64xf32>
  func.return
}

// Each has one kind of access only, from which Intel's driver for CPUs does not learn that there are
// lanes if they hold less than four bytes.
//
// CHECK-LABEL: __kernel void fill_bytes(
// CHECK-NEXT: {
// CHECK-NEXT:     const uint lane = get_sub_group_local_id();
// CHECK-NEXT:     intel_sub_group_block_write_uc(
func.func @fill_bytes(%y: memref<16xi8>) {
  %c = arith.constant dense<3> : vector<16xi8>
  vec.store %c, %y[0] : vector<16xi8>, memref<16xi8>
  func.return
}

// CHECK-LABEL: __kernel void fill_numbers(
// CHECK-NEXT: {
// CHECK-NEXT:     intel_sub_group_block_write(
func.func @fill_numbers(%y: memref<16xi32>) {
  %c = arith.constant dense<3> : vector<16xi32>
  vec.store %c, %y[0] : vector<16xi32>, memref<16xi32>
  func.return
}
