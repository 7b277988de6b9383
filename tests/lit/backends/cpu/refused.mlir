// RUN: lamina-opt %s --split-input-file --verify-diagnostics -t lamina-llvm | filecheck %s

// CHECK: @exp_is_no_instruction: no LLVM for math.exp; lower it before printing
func.func @exp_is_no_instruction(%x: memref<16xf32>) {
  %a = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %b = math.exp %a : vector<16xf32>
  vec.store %b, %x[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// -----

// CHECK: @buffers_need_a_place: no LLVM for memref.alloc; run plan-memory to place buffers in the arena
func.func @buffers_need_a_place(%x: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  func.return
}

// -----

// CHECK: @scalars_are_no_arguments: argument 1 needs a memref or an index, got f32
func.func @scalars_are_no_arguments(%x: memref<16xf32>, %s: f32) {
  func.return
}

// -----

// CHECK: @scratch_has_a_limit: memref.alloca brings the scratch to 4000000 bytes, at most 1048576 fit on a stack; use the arena
func.func @scratch_has_a_limit(%x: memref<16xf32>) {
  %a = memref.alloca() : memref<1000000xf32>
  func.return
}

// -----

// CHECK: @halves_of_products_are_of_32_bits: no LLVM for arith.mulsi_extended on i64; it needs i32
func.func @halves_of_products_are_of_32_bits(%x: memref<2xi64>) {
  %a = vec.load %x[0] : memref<2xi64> -> i64
  %low, %high = arith.mulsi_extended %a, %a : i64
  vec.store %high, %x[1] : i64, memref<2xi64>
  func.return
}

// -----

// CHECK: @sums_of_bytes_are_lowered_for_a_target: no LLVM for int8.dot4 on vector<12xi32> for cpu; run int8-lower-dot4 for this target
func.func @sums_of_bytes_are_lowered_for_a_target(%c: memref<12xi32>, %a: memref<48xi8>) {
  %acc = vec.load %c[0] : memref<12xi32> -> vector<12xi32>
  %x = vec.load %a[0] : memref<48xi8> -> vector<12x4xi8>
  %r = int8.dot4 %acc, %x, %x : vector<12xi32>, vector<12x4xi8>, vector<12x4xi8>
  vec.store %r, %c[0] : vector<12xi32>, memref<12xi32>
  func.return
}
