// RUN: lamina-opt %s -p vec-join-loads | filecheck %s
// RUN: lamina-opt %s -p 'vec-join-loads{most=4}' | filecheck %s --check-prefix=FOUR

// CHECK-LABEL: func.func @neighbours_are_loaded_at_once(
// CHECK-NEXT:    %a, %b = vec.load_run %w[%k, 0] : memref<8x48xf32> -> vector<16xf32>, vector<16xf32>
// CHECK-NEXT:    %c = vec.load %w[%k, 32]
// CHECK-NEXT:    func.return %a, %b, %c
// FOUR:          %a, %b = vec.load_run
// FOUR-NEXT:     %c = vec.load
func.func @neighbours_are_loaded_at_once(%w: memref<8x48xf32>, %k: index) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  %a = vec.load %w[%k, 0] : memref<8x48xf32> -> vector<16xf32>
  %b = vec.load %w[%k, 16] : memref<8x48xf32> -> vector<16xf32>
  %c = vec.load %w[%k, 32] : memref<8x48xf32> -> vector<16xf32>
  func.return %a, %b, %c : vector<16xf32>, vector<16xf32>, vector<16xf32>
}

// Rows without a gap are one run; it stands where the first load was, and begins at the lowest.
//
// CHECK-LABEL: func.func @rows_in_any_order(
// CHECK-NEXT:    %b, %a = vec.load_run %w[%k, 0]
// CHECK-NEXT:    %d, %c = vec.load_run %w[%k + 2, 0]
// FOUR-LABEL: func.func @rows_in_any_order(
// FOUR-NEXT:     %b, %a, %d, %c = vec.load_run %w[%k, 0] : memref<16x16xf32> -> vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>
func.func @rows_in_any_order(%w: memref<16x16xf32>, %k: index) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  %a = vec.load %w[%k + 1, 0] : memref<16x16xf32> -> vector<16xf32>
  %c = vec.load %w[%k + 3, 0] : memref<16x16xf32> -> vector<16xf32>
  %b = vec.load %w[%k, 0] : memref<16x16xf32> -> vector<16xf32>
  %d = vec.load %w[%k + 2, 0] : memref<16x16xf32> -> vector<16xf32>
  func.return %a, %b, %c, %d : vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>
}

// CHECK-LABEL: func.func @the_same_is_loaded_once_in_a_run(
// CHECK-NEXT:    %a, %c = vec.load_run %w[0]
// CHECK-NEXT:    %b = vec.load %w[0]
func.func @the_same_is_loaded_once_in_a_run(%w: memref<32xf32>) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
  %a = vec.load %w[0] : memref<32xf32> -> vector<16xf32>
  %b = vec.load %w[0] : memref<32xf32> -> vector<16xf32>
  %c = vec.load %w[16] : memref<32xf32> -> vector<16xf32>
  func.return %a, %b, %c : vector<16xf32>, vector<16xf32>, vector<16xf32>
}

// CHECK-LABEL: func.func @gaps_and_other_indices_stay_apart(
// CHECK-NEXT:    vec.load %w[%i, 0]
// CHECK-NEXT:    vec.load %w[%j, 16]
// CHECK-NEXT:    vec.load %w[%i, 32]
// CHECK-NEXT:    vec.load %w[%i, 48] : memref<8x64xf32> -> vector<8xf32>
// CHECK-NEXT:    vec.load %w[%i, 16] : memref<8x64xf32> -> f32
func.func @gaps_and_other_indices_stay_apart(%w: memref<8x64xf32>, %i: index, %j: index) {
  %a = vec.load %w[%i, 0] : memref<8x64xf32> -> vector<16xf32>
  %b = vec.load %w[%j, 16] : memref<8x64xf32> -> vector<16xf32>
  %c = vec.load %w[%i, 32] : memref<8x64xf32> -> vector<16xf32>
  %d = vec.load %w[%i, 48] : memref<8x64xf32> -> vector<8xf32>
  %e = vec.load %w[%i, 16] : memref<8x64xf32> -> f32
  func.return
}

// CHECK-LABEL: func.func @a_write_in_between_keeps_them_apart(
// CHECK-NEXT:    vec.load %w[0]
// CHECK-NEXT:    vec.store
// CHECK-NEXT:    vec.load %w[16]
func.func @a_write_in_between_keeps_them_apart(%w: memref<32xf32>, %v: vector<16xf32>) {
  %a = vec.load %w[0] : memref<32xf32> -> vector<16xf32>
  vec.store %v, %w[16] : vector<16xf32>, memref<32xf32>
  %b = vec.load %w[16] : memref<32xf32> -> vector<16xf32>
  func.return
}

// CHECK-LABEL: func.func @shorter_vectors_are_more_at_once(
// CHECK-NEXT:    %a, %b, %c, %d = vec.load_run %w[0] : memref<64xf16> -> vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>
func.func @shorter_vectors_are_more_at_once(%w: memref<64xf16>) {
  %a = vec.load %w[0] : memref<64xf16> -> vector<16xf32>
  %b = vec.load %w[16] : memref<64xf16> -> vector<16xf32>
  %c = vec.load %w[32] : memref<64xf16> -> vector<16xf32>
  %d = vec.load %w[48] : memref<64xf16> -> vector<16xf32>
  func.return
}
