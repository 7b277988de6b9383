// RUN: lamina-opt %s -p vec-forward-stores | filecheck %s

// CHECK-LABEL: func.func @stored_values_are_used(
// CHECK-NEXT:    vec.store %v, %t[%i, 0]
// CHECK-NEXT:    vec.store %w, %t[%i, 4]
// CHECK-NEXT:    func.return %v, %w
func.func @stored_values_are_used(%t: memref<4x8xf32>, %v: vector<4xf32>, %w: vector<4xf32>, %i: index) -> (vector<4xf32>, vector<4xf32>) {
  vec.store %v, %t[%i, 0] : vector<4xf32>, memref<4x8xf32>
  vec.store %w, %t[%i, 4] : vector<4xf32>, memref<4x8xf32>
  %a = vec.load %t[%i, 0] : memref<4x8xf32> -> vector<4xf32>
  %b = vec.load %t[%i, 4] : memref<4x8xf32> -> vector<4xf32>
  func.return %a, %b : vector<4xf32>, vector<4xf32>
}

// CHECK-LABEL: func.func @what_is_rounded_when_stored_is_loaded(
// CHECK:         %a = vec.load %t[0]
// CHECK:         func.return %a
func.func @what_is_rounded_when_stored_is_loaded(%t: memref<4xf16>, %v: vector<4xf32>) -> vector<4xf32> {
  vec.store %v, %t[0] : vector<4xf32>, memref<4xf16>
  %a = vec.load %t[0] : memref<4xf16> -> vector<4xf32>
  func.return %a : vector<4xf32>
}

// CHECK-LABEL: func.func @the_last_store_counts(
// CHECK:         func.return %w
func.func @the_last_store_counts(%t: memref<8xf32>, %v: vector<4xf32>, %w: vector<4xf32>) -> vector<4xf32> {
  vec.store %v, %t[0] : vector<4xf32>, memref<8xf32>
  vec.store %w, %t[0] : vector<4xf32>, memref<8xf32>
  %a = vec.load %t[0] : memref<8xf32> -> vector<4xf32>
  func.return %a : vector<4xf32>
}

// CHECK-LABEL: func.func @partly_overwritten_values_are_loaded(
// CHECK:         %a = vec.load %t[0]
func.func @partly_overwritten_values_are_loaded(%t: memref<8xf32>, %v: vector<4xf32>, %w: vector<4xf32>) -> vector<4xf32> {
  vec.store %v, %t[0] : vector<4xf32>, memref<8xf32>
  vec.store %w, %t[3] : vector<4xf32>, memref<8xf32>
  %a = vec.load %t[0] : memref<8xf32> -> vector<4xf32>
  func.return %a : vector<4xf32>
}

// CHECK-LABEL: func.func @values_stored_somewhere_are_loaded(
// CHECK:         %a = vec.load %t[0]
func.func @values_stored_somewhere_are_loaded(%t: memref<8xf32>, %v: vector<4xf32>, %w: vector<4xf32>, %i: index) -> vector<4xf32> {
  vec.store %v, %t[0] : vector<4xf32>, memref<8xf32>
  vec.store %w, %t[%i] : vector<4xf32>, memref<8xf32>
  %a = vec.load %t[0] : memref<8xf32> -> vector<4xf32>
  func.return %a : vector<4xf32>
}

// CHECK-LABEL: func.func @another_type_is_loaded(
// CHECK:         %a = vec.load %t[0]
func.func @another_type_is_loaded(%t: memref<8xf32>, %v: vector<4xf32>) -> f32 {
  vec.store %v, %t[0] : vector<4xf32>, memref<8xf32>
  %a = vec.load %t[0] : memref<8xf32> -> f32
  func.return %a : f32
}

// CHECK-LABEL: func.func @a_loop_may_write_anywhere(
// CHECK:         %a = vec.load %t[0]
func.func @a_loop_may_write_anywhere(%t: memref<8xf32>, %v: f32) -> f32 {
  vec.store %v, %t[0] : f32, memref<8xf32>
  loop.for %i < 8 {
    vec.store %v, %t[%i] : f32, memref<8xf32>
  }
  %a = vec.load %t[0] : memref<8xf32> -> f32
  func.return %a : f32
}

// CHECK-LABEL: func.func @another_buffer_does_not_matter(
// CHECK:         func.return %v
func.func @another_buffer_does_not_matter(%t: memref<8xf32>, %u: memref<8xf32>, %v: f32, %w: f32) -> f32 {
  vec.store %v, %t[0] : f32, memref<8xf32>
  vec.store %w, %u[0] : f32, memref<8xf32>
  %a = vec.load %t[0] : memref<8xf32> -> f32
  func.return %a : f32
}
