// RUN: lamina-opt %s | lamina-opt | filecheck %s
// RUN: lamina-opt %s --print-op-generic | lamina-opt | filecheck %s

// CHECK-LABEL: func.func @index_is_an_expression(
// CHECK-NEXT:    %0 = vec.load %x[%i * 4 + %j + 1, (%i + 3) floordiv 2, %j mod 4] : memref<64x8x8xf32> -> vector<16xf32>
// CHECK-NEXT:    %1 = vec.load %x[0, 1, 2] : memref<64x8x8xf32> -> vector<16xf32>
func.func @index_is_an_expression(%x: memref<64x8x8xf32>, %i: index, %j: index) {
  %0 = vec.load %x[%i * 2 + 1 + %j + %i * 2, (%i + 3) floordiv 2, %j mod 4] : memref<64x8x8xf32> -> vector<16xf32>
  %1 = vec.load %x[0, 1, 2] : memref<64x8x8xf32> -> vector<16xf32>
  func.return
}

// CHECK-LABEL: func.func @halves_are_loaded_and_stored_as_floats(
// CHECK-NEXT:    %a = vec.load %x[0] : memref<64xf16> -> vector<16xf32>
// CHECK-NEXT:    %b = vec.load %x[16] : memref<64xf16> -> vector<16xf16>
// CHECK-NEXT:    vec.store %a, %x[32] : vector<16xf32>, memref<64xf16>
func.func @halves_are_loaded_and_stored_as_floats(%x: memref<64xf16>) {
  %a = vec.load %x[0] : memref<64xf16> -> vector<16xf32>
  %b = vec.load %x[16] : memref<64xf16> -> vector<16xf16>
  vec.store %a, %x[32] : vector<16xf32>, memref<64xf16>
  func.return
}

// CHECK-LABEL: func.func @vectors_behind_each_other_load_at_once(
// CHECK-NEXT:    %a, %b = vec.load_run %w[%k + 1, 0] : memref<8x32xf32> -> vector<16xf32>, vector<16xf32>
// CHECK-NEXT:    %c = vec.load_run %w[0, 16] {note = "kept"} : memref<8x32xf32> -> vector<16xf32>
func.func @vectors_behind_each_other_load_at_once(%w: memref<8x32xf32>, %k: index) {
  %a, %b = vec.load_run %w[%k + 1, 0] : memref<8x32xf32> -> vector<16xf32>, vector<16xf32>
  %c = vec.load_run %w[0, 16] {note = "kept"} : memref<8x32xf32> -> vector<16xf32>
  func.return
}

// CHECK-LABEL: func.func @scalars_and_groups_load_too(
// CHECK-NEXT:    %0 = vec.load %x[%i] : memref<128xi8> -> i8
// CHECK-NEXT:    %1 = vec.load %x[%i] : memref<128xi8> -> vector<16x4xi8>
// CHECK-NEXT:    %2 = vec.load_splat %x[%i * 4] : memref<128xi8> -> vector<16x4xi8>
// CHECK-NEXT:    %3 = vec.load_splat %x[%i] {note = "kept"} : memref<128xi8> -> vector<16xi8>
func.func @scalars_and_groups_load_too(%x: memref<128xi8>, %i: index) {
  %0 = vec.load %x[%i] : memref<128xi8> -> i8
  %1 = vec.load %x[%i] : memref<128xi8> -> vector<16x4xi8>
  %2 = vec.load_splat %x[%i * 4] : memref<128xi8> -> vector<16x4xi8>
  %3 = vec.load_splat %x[%i] {note = "kept"} : memref<128xi8> -> vector<16xi8>
  func.return
}

// CHECK-LABEL: func.func @strides_go_through_memory(
// CHECK-NEXT:    %0 = vec.load_strided %x[%i, 0] stride 9 : memref<64x9xf32> -> vector<16xf32>
// CHECK-NEXT:    vec.store_strided %0, %x[0, %i] stride 18 : vector<16xf32>, memref<64x9xf32>
func.func @strides_go_through_memory(%x: memref<64x9xf32>, %i: index) {
  %0 = vec.load_strided %x[%i, 0] stride 9 : memref<64x9xf32> -> vector<16xf32>
  vec.store_strided %0, %x[0, %i] stride 18 : vector<16xf32>, memref<64x9xf32>
  func.return
}

// Lanes may be behind an index that is outside, as long as they are inside.
// CHECK-LABEL: func.func @every_lane_is_where_it_says(
// CHECK-NEXT:    %0 = vec.gather %x[%i - 1, 0] at %lanes : memref<8x64xf32>, vector<16xi32> -> vector<16xf32>
// CHECK-NEXT:    %1 = vec.gather %b[-4] at %wide : memref<64xi8>, vector<4xi64> -> vector<4x4xi8>
func.func @every_lane_is_where_it_says(%x: memref<8x64xf32>, %b: memref<64xi8>, %i: index, %lanes: vector<16xi32>, %wide: vector<4xi64>) {
  %0 = vec.gather %x[%i - 1, 0] at %lanes : memref<8x64xf32>, vector<16xi32> -> vector<16xf32>
  %1 = vec.gather %b[-4] at %wide : memref<64xi8>, vector<4xi64> -> vector<4x4xi8>
  func.return
}

// What is asked for may lie outside the buffer.
// CHECK-LABEL: func.func @prefetch_has_no_result(
// CHECK-NEXT:    vec.prefetch %x[%i + 1, 99] : memref<64x9xf32>
func.func @prefetch_has_no_result(%x: memref<64x9xf32>, %i: index) {
  vec.prefetch %x[%i + 1, 99] : memref<64x9xf32>
  func.return
}

// CHECK-LABEL: func.func @store_into_strided_memory(
// CHECK-NEXT:    vec.store %v, %y[%i, 16] : vector<16xf32>, memref<4x32xf32, strided<[64, 1]>>
func.func @store_into_strided_memory(%v: vector<16xf32>, %y: memref<4x32xf32, strided<[64, 1]>>, %i: index) {
  vec.store %v, %y[%i, 16] : vector<16xf32>, memref<4x32xf32, strided<[64, 1]>>
  func.return
}

// CHECK-LABEL: func.func @lanes_and_bits(
// CHECK-NEXT:    %0 = vec.splat_lane %v[3] : vector<16xf32>
// CHECK-NEXT:    %1 = vec.convert %0 : vector<16xf32> to vector<16xi8>
// CHECK-NEXT:    %2 = vec.convert unsigned %1 : vector<16xi8> to vector<16xi32>
// CHECK-NEXT:    %3 = vec.convert unsigned %0 : vector<16xf32> to vector<16xi8>
// CHECK-NEXT:    %4 = vec.bitcast %2 : vector<16xi32> to vector<16x4xi8>
// CHECK-NEXT:    %5 = vec.bitcast %v : vector<16xf32> to vector<16xi32>
// CHECK-NEXT:    %6 = vec.shuffle %4, %4 [0, 31, 1] : vector<16x4xi8> -> vector<3x4xi8>
// CHECK-NEXT:    %7 = vec.bitcast %g : vector<4xi8> to i32
// CHECK-NEXT:    %8 = vec.bitcast %1 : vector<16xi8> to vector<4x4xi8>
func.func @lanes_and_bits(%v: vector<16xf32>, %g: vector<4xi8>) {
  %0 = vec.splat_lane %v[3] : vector<16xf32>
  %1 = vec.convert %0 : vector<16xf32> to vector<16xi8>
  %2 = vec.convert unsigned %1 : vector<16xi8> to vector<16xi32>
  %3 = vec.convert unsigned %0 : vector<16xf32> to vector<16xi8>
  %4 = vec.bitcast %2 : vector<16xi32> to vector<16x4xi8>
  %5 = vec.bitcast %v : vector<16xf32> to vector<16xi32>
  %6 = vec.shuffle %4, %4 [0, 31, 1] : vector<16x4xi8> -> vector<3x4xi8>
  %7 = vec.bitcast %g : vector<4xi8> to i32
  %8 = vec.bitcast %1 : vector<16xi8> to vector<4x4xi8>
  func.return
}

// CHECK-LABEL: func.func @buffer_without_dimensions(
// CHECK-NEXT:    %0 = vec.load %x[] : memref<f32> -> f32
func.func @buffer_without_dimensions(%x: memref<f32>) {
  %0 = vec.load %x[] : memref<f32> -> f32
  func.return
}

// CHECK-LABEL: func.func @lanes_have_no_sign(
// CHECK-NEXT:    %0 = vec.load %x[0] : memref<8xui8> -> vector<8xi8>
// CHECK-NEXT:    vec.store %0, %x[0] : vector<8xi8>, memref<8xui8>
func.func @lanes_have_no_sign(%x: memref<8xui8>) {
  %0 = vec.load %x[0] : memref<8xui8> -> vector<8xi8>
  vec.store %0, %x[0] : vector<8xi8>, memref<8xui8>
  func.return
}

// CHECK-LABEL: func.func @lanes_are_compared_and_chosen(
// CHECK-NEXT:    %0 = vec.compare "olt" %v, %v : vector<16xf32> -> vector<16xi1>
// CHECK-NEXT:    %1 = vec.compare "ugt" %i, %i : i32 -> i1
// CHECK-NEXT:    %2 = vec.any %0 : vector<16xi1>
// CHECK-NEXT:    %3 = vec.select %0, %v, %v : vector<16xi1>, vector<16xf32>
// CHECK-NEXT:    %4 = vec.select %1, %i, %i : i1, i32
func.func @lanes_are_compared_and_chosen(%v: vector<16xf32>, %i: i32) {
  %0 = vec.compare "olt" %v, %v : vector<16xf32> -> vector<16xi1>
  %1 = vec.compare "ugt" %i, %i : i32 -> i1
  %2 = vec.any %0 : vector<16xi1>
  %3 = vec.select %0, %v, %v : vector<16xi1>, vector<16xf32>
  %4 = vec.select %1, %i, %i : i1, i32
  func.return
}

// CHECK-LABEL: func.func @rest_of_a_division(
// CHECK-NEXT:    %0 = vec.rem %v, %v : vector<16xf32>
// CHECK-NEXT:    %1 = vec.rem %x, %x : f64
func.func @rest_of_a_division(%v: vector<16xf32>, %x: f64) {
  %0 = vec.rem %v, %v : vector<16xf32>
  %1 = vec.rem %x, %x : f64
  func.return
}

// CHECK-LABEL: func.func @lanes_wait_for_each_other(
// CHECK-NEXT:    vec.barrier
func.func @lanes_wait_for_each_other() {
  vec.barrier
  func.return
}
